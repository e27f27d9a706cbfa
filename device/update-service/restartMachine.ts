/**
 * Restarts the machine: by systemd, or as root has written into `etc/upbeat/restart.json` for a
 * machine without it: `{"command": ["/sbin/reboot"]}`. The file must be root's own.
 *
 * Errors: UPB-RESTART-FAILED.
 */
import { lstatSync, readFileSync } from "node:fs";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { whyUnsafe } from "../limitedProgram.ts";
import { runCommand } from "./health.ts";

const SYSTEMD = ["/usr/bin/systemctl", "reboot"];
const TIMEOUT_MS = 60_000;

const RestartCommand = z.strictObject({ command: z.array(z.string()).min(1) });

export async function restartMachine(file: string): Promise<void> {
  const command = commandIn(file);
  const end = await runCommand(command, undefined, TIMEOUT_MS);
  if (end.ok) return;
  throw new UpbeatError("UPB-RESTART-FAILED", {
    object: command.join(" "),
    detail: end.says,
    ...(end.nativeCode === undefined ? {} : { nativeCode: end.nativeCode }),
  });
}

function commandIn(file: string): readonly string[] {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return SYSTEMD;
  const unsafe = whyUnsafe(file, "file");
  if (unsafe !== undefined) {
    throw new UpbeatError("UPB-RESTART-FAILED", { object: file, detail: unsafe });
  }
  try {
    return RestartCommand.parse(JSON.parse(readFileSync(file, "utf8"))).command;
  } catch (cause) {
    throw new UpbeatError("UPB-RESTART-FAILED", { object: file, cause });
  }
}
