/** Whether systemd is what starts programs on this machine, and has a unit of ours. */
import { existsSync } from "node:fs";

const UNIT_FOLDERS = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/** Another root is another machine, or a test: its services are not this machine's units. */
export function hasUnit(root: string, unit: string): boolean {
  // sd_booted(3)
  if (root !== "/" || !existsSync("/run/systemd/system")) return false;
  return UNIT_FOLDERS.some((folder) => existsSync(`${folder}/${unit}`));
}
