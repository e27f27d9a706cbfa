/**
 * Who objects to a restart now: applications that said so here, and those that hold a block lock of
 * systemd-inhibit(1). Ours are durable: a restart of this process does not free a machine that is in
 * the middle of a backup. The time limit frees it when the application forgets.
 *
 * Errors: UPB-INHIBITORS-FULL.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { INHIBIT_MAX_MS, Inhibitor, type InhibitRequest } from "../../../protocol/inhibitors.ts";
import type { OrchestratorDatabase } from "../database.ts";

const MAX_HELD = 50;
const MAX_SYSTEM_BYTES = 16 * 1024;

export interface Inhibitors {
  /** Ours and the system's, oldest first. */
  list(): Inhibitor[];
  take(request: InhibitRequest): Inhibitor;
  /** False: it had ended already. */
  release(id: string): boolean;
}

export function inhibitors(
  database: OrchestratorDatabase,
  root: string,
  now: () => number,
): Inhibitors {
  const held = (): Inhibitor[] => {
    const nowMs = now();
    return (database.recall("inhibitors", z.array(Inhibitor)) ?? []).filter(
      // A clock that was set back must not make a hold longer than any that can be asked for.
      ({ untilMs = 0 }) => untilMs > nowMs && untilMs - nowMs <= INHIBIT_MAX_MS,
    );
  };
  const keep = (next: Inhibitor[]): void => database.remember("inhibitors", next);
  return {
    list: () => [...held(), ...systemInhibitors(join(root, "run/systemd/inhibit"))],
    take({ who, why, forMs }) {
      const others = held();
      if (others.length >= MAX_HELD) {
        throw new UpbeatError("UPB-INHIBITORS-FULL", { object: who });
      }
      const sinceMs = now();
      const taken: Inhibitor = {
        id: randomUUID(),
        who,
        why,
        sinceMs,
        untilMs: sinceMs + forMs,
        from: "upbeat",
      };
      keep([...others, taken]);
      return taken;
    },
    release(id) {
      const before = held();
      const after = before.filter((one) => one.id !== id);
      if (after.length < before.length) keep(after);
      return after.length < before.length;
    },
  };
}

/** logind keeps one file of NAME=value lines a lock there, readable by all. */
function systemInhibitors(folder: string): Inhibitor[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return []; // No systemd here.
  }
  return names.flatMap((name) => {
    const lock = readLock(join(folder, name));
    const holds = lock.MODE === "block" && (lock.WHAT ?? "").split(":").includes("shutdown");
    if (!holds) return [];
    const sinceMs = Math.floor(Number(lock.SINCE ?? 0) / 1_000);
    const who = (lock.WHO ?? "").slice(0, 200);
    const why = (lock.WHY ?? "").slice(0, 200);
    return [{ id: `system-${name}`, who, why, sinceMs, from: "system" as const }];
  });
}

function readLock(path: string): Partial<Record<string, string>> {
  try {
    const text = readFileSync(path, "utf8").slice(0, MAX_SYSTEM_BYTES);
    return Object.fromEntries(
      text.split("\n").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), unquoted(line.slice(at + 1))];
      }),
    );
  } catch {
    return {}; // It was released at this very moment.
  }
}

/** C escapes, as systemd's `cescape` writes them: `\x20`, `\"`. */
const unquoted = (text: string): string =>
  text
    .replace(/^"(.*)"$/, "$1")
    .replaceAll(/\\x([0-9a-f]{2})|\\(.)/gi, (_, hex: string | undefined, plain: string) =>
      hex === undefined ? plain : String.fromCharCode(Number.parseInt(hex, 16)),
    );
