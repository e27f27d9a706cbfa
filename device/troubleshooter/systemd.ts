/** Whether systemd runs the service manager of this root, and driving it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

export const UNIT = "upbeat.service";
const UNIT_FOLDERS = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const SYSTEMCTL_MS = 20_000;

/** Undefined: systemd is not the init system (sd_booted(3)), or has no unit for this root. */
export function systemdUnit(root: string): string | undefined {
  if (root !== "/" || !existsSync("/run/systemd/system")) return undefined;
  return UNIT_FOLDERS.some((folder) => existsSync(`${folder}/${UNIT}`)) ? UNIT : undefined;
}

export async function runSystemctl(args: readonly string[]): Promise<void> {
  await promisify(execFile)("systemctl", [...args], { timeout: SYSTEMCTL_MS });
}
