/** What the troubleshooter found last, kept for whoever shows or reports it. */
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../content/durableFile.ts";
import { Diagnosis } from "../protocol/troubleshooting/diagnosis.ts";
import type { DevicePaths } from "./paths.ts";

const KeptDiagnosis = z.object({
  diagnosis: Diagnosis,
  /** Kinds of trouble that there were (`core/diagnosisDue.ts`), and when each was a reason to run. */
  about: z.array(z.string()),
  triedMs: z.record(z.string(), z.number()),
});
export type KeptDiagnosis = z.infer<typeof KeptDiagnosis>;

const MAX_BYTES = 2 * 1024 * 1024;
const fileOf = (paths: DevicePaths): string => join(paths.troubleshooterState, "last.json");

/** Undefined: it never ran, or what it left cannot be read here. */
export function readKeptDiagnosis(paths: DevicePaths): KeptDiagnosis | undefined {
  try {
    const file = openSync(fileOf(paths), "r");
    try {
      if (fstatSync(file).size > MAX_BYTES) return undefined;
      return KeptDiagnosis.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Does nothing for an account that may not, or on a disk that takes nothing. */
export function keepDiagnosis(paths: DevicePaths, kept: KeptDiagnosis): void {
  try {
    // Not its parents: where Upbeat keeps nothing, a look leaves nothing behind.
    if (!existsSync(paths.troubleshooterState))
      mkdirSync(paths.troubleshooterState, { mode: 0o750 });
    writeDurably(fileOf(paths), JSON.stringify(kept), 0o640);
    // Whoever runs it, the orchestrator's group reads it, as it reads what the manager keeps.
    const { gid } = statSync(paths.managerState);
    for (const path of [paths.troubleshooterState, fileOf(paths)]) chownSync(path, -1, gid);
  } catch {
    // What was found is told to whoever asked all the same.
  }
}
