/**
 * Shows one sentence on every terminal on which somebody is logged in, as wall(1) does: the sentence
 * itself is all that is written, and a terminal that refuses messages (mesg(1)) is left alone.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { terminalsInUse } from "./presence.ts";

export function tellPeople(root: string, sentence: string): void {
  for (const terminal of terminalsInUse(root)) {
    try {
      // A terminal that is stopped must not stop this process.
      const file = openSync(
        terminal,
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
      );
      try {
        writeSync(file, `\r\n\u0007Upbeat: ${sentence}\r\n`);
      } finally {
        closeSync(file);
      }
    } catch {
      // Not allowed, full or gone; the status and the Settings page say the same.
    }
  }
}
