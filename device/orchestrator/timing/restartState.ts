/**
 * What was said and done about the restart that is pending: wishes, warnings, what the lock service
 * answered. Gone with the restart itself; kept over restarts of this process.
 *
 * Errors: UPB-RESTART-NOTHING, UPB-RESTART-TIME.
 */
import { z } from "zod";
import type { RestartWishes } from "../../../core/timing/situation.ts";
import { ErrorReport, UpbeatError } from "../../../protocol/errors/error.ts";
import type { RestartWish } from "../../../protocol/restartWishes.ts";
import type { Settings } from "../../../protocol/settings.ts";
import type { OrchestratorDatabase } from "../database.ts";

const DAY_MS = 86_400_000;

const State = z.object({
  now: z.boolean().default(false),
  chosenMs: z.int().optional(),
  snoozedUntilMs: z.int().optional(),
  warnedMs: z
    .object({ "24h": z.int().optional(), "4h": z.int().optional(), "15min": z.int().optional() })
    .default({}),
  lockDenied: z.object({ by: z.string(), untilMs: z.int(), because: z.string() }).optional(),
  /** It was tried and did not happen; not tried again before `notBeforeMs`. */
  failed: z.object({ error: ErrorReport, atMs: z.int(), notBeforeMs: z.int() }).optional(),
  /** The command was given: the machine is going down. */
  begunMs: z.int().optional(),
});
export type RestartState = z.infer<typeof State>;

export interface RestartMemory {
  read(): RestartState;
  wishes(): RestartWishes;
  change(change: Partial<RestartState>): void;
  wish(wish: RestartWish, about: { settings: Settings; deadlineMs: number | undefined }): void;
  /** Nothing waits for a restart any more. */
  clear(): void;
}

export function restartMemory(database: OrchestratorDatabase, now: () => number): RestartMemory {
  const read = (): RestartState =>
    database.recall("restart", State) ?? { now: false, warnedMs: {} };
  const change = (more: Partial<RestartState>): void =>
    database.remember("restart", { ...read(), ...more });
  return {
    read,
    change,
    wishes() {
      const { now: isNow, chosenMs, snoozedUntilMs, warnedMs, lockDenied } = read();
      return { now: isNow, chosenMs, snoozedUntilMs, warnedMs, lockDenied };
    },
    wish(wish, { settings, deadlineMs }) {
      const { failed: _, ...before } = read();
      const keep = (more: Partial<RestartState>): void =>
        database.remember("restart", {
          ...before,
          now: false,
          chosenMs: undefined,
          snoozedUntilMs: undefined,
          ...more,
        });
      if (wish.when === "now") return keep({ now: true });
      if (wish.when === "automatic") return keep({});
      const latestMs = Math.min(
        deadlineMs ?? Number.POSITIVE_INFINITY,
        now() + settings.snoozeDays * DAY_MS,
      );
      const wantedMs = wish.when === "at" ? wish.atMs : now() + wish.forMs;
      if (wantedMs <= now() || wantedMs > latestMs) {
        throw new UpbeatError("UPB-RESTART-TIME", {
          object: new Date(wantedMs).toISOString(),
          detail: `expected a time from now to ${new Date(latestMs).toISOString()}`,
        });
      }
      return keep(wish.when === "at" ? { chosenMs: wantedMs } : { snoozedUntilMs: wantedMs });
    },
    clear() {
      if (database.recall("restart", State) !== undefined) database.remember("restart", null);
    },
  };
}
