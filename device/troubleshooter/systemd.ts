/** Whether systemd runs the service manager of this root, and driving it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { hasUnit } from "../systemd.ts";

const UNIT = "upbeat.service";
const SYSTEMCTL_MS = 20_000;

/** Undefined: systemd is not the init system, or has no unit for this root. */
export const systemdUnit = (root: string): string | undefined =>
  hasUnit(root, UNIT) ? UNIT : undefined;

export async function runSystemctl(args: readonly string[]): Promise<void> {
  await promisify(execFile)("systemctl", [...args], { timeout: SYSTEMCTL_MS });
}
