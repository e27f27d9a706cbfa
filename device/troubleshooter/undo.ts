/**
 * How a repair is taken back. Steps are data and are written down before the repair is made, so that
 * `upbeat troubleshoot --undo` works also after a crash and in another process.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../../content/durableFile.ts";
import { StartUpType } from "../../protocol/servicesApi.ts";
import type { DevicePaths } from "../paths.ts";
import { actOnService } from "./services.ts";

export const UndoStep = z.discriminatedUnion("kind", [
  /** Puts a file that was set aside back where it was. */
  z.object({ kind: z.literal("move-back"), from: z.string(), to: z.string() }),
  z.object({
    kind: z.literal("permissions"),
    path: z.string(),
    mode: z.int(),
    uid: z.int(),
    gid: z.int(),
  }),
  z.object({ kind: z.literal("start-up"), service: z.string(), startUp: StartUpType }),
]);
export type UndoStep = z.infer<typeof UndoStep>;

const Journal = z.object({ atMs: z.int(), steps: z.array(UndoStep) });

export interface UndoJournal {
  readonly steps: UndoStep[];
  /** Durable when it returns; where the disk takes nothing, only this process can undo. */
  add(step: UndoStep): void;
}

const fileOf = (paths: DevicePaths): string => join(paths.troubleshooterState, "undo.json");

/** A new one: what an earlier run could have undone is forgotten with the first new step. */
export function undoJournal(paths: DevicePaths, nowMs: number): UndoJournal {
  const steps: UndoStep[] = [];
  return {
    steps,
    add(step) {
      steps.push(step);
      try {
        mkdirSync(paths.troubleshooterState, { recursive: true, mode: 0o750 });
        writeDurably(fileOf(paths), JSON.stringify({ atMs: nowMs, steps }), 0o600);
      } catch {
        // A full or read-only disk must not stop the repair that frees it.
      }
    },
  };
}

/** Takes the last run's repairs back, the newest first; returns what was done. Throws nothing. */
export async function undoLast(paths: DevicePaths): Promise<string[]> {
  if (!existsSync(fileOf(paths))) return [];
  const { steps } = Journal.parse(JSON.parse(readFileSync(fileOf(paths), "utf8")));
  const done = await undoSteps(paths, steps);
  rmSync(fileOf(paths), { force: true });
  return done;
}

export async function undoSteps(paths: DevicePaths, steps: readonly UndoStep[]): Promise<string[]> {
  const done: string[] = [];
  for (const step of steps.toReversed()) {
    try {
      done.push(await undo(paths, step));
    } catch (error) {
      done.push(`could not undo "${step.kind}": ${error instanceof Error ? error.message : error}`);
    }
  }
  return done;
}

async function undo(paths: DevicePaths, step: UndoStep): Promise<string> {
  switch (step.kind) {
    case "move-back":
      if (!existsSync(step.from)) return `${step.from} is gone already`;
      mkdirSync(dirname(step.to), { recursive: true });
      renameSync(step.from, step.to);
      return `put ${step.to} back`;
    case "permissions":
      chownSync(step.path, step.uid, step.gid);
      chmodSync(step.path, step.mode);
      return `gave ${step.path} its former owner and mode ${step.mode.toString(8)}`;
    case "start-up": {
      const action = { automatic: "enable", manual: "manual", disabled: "disable" } as const;
      await actOnService(paths, step.service, action[step.startUp]);
      return `made ${step.service} ${step.startUp} again`;
    }
  }
}
