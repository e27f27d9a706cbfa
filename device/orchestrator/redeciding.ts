/**
 * When what was decided at the last check is decided again without one: a setting or a failure here
 * changed it, or a time came at which a rollout, a deferral or a pause says something else.
 */
import { type DecideWorld, redecide } from "./evaluate.ts";
import type { Memory } from "./memory.ts";

export interface Redeciding {
  now(): Promise<void>;
  /** Only when something can have changed. */
  ifDue(): Promise<void>;
}

/** Of rules whose next moment nobody has computed. */
const AT_LEAST_EVERY_MS = 3_600_000;

export function redeciding(world: DecideWorld, memory: Memory): Redeciding {
  let decidedFor: string | undefined;
  const about = (): string => JSON.stringify([world.policy.local(), world.failures.held()]);
  const now = async (): Promise<void> => {
    const mine = about();
    if (memory.evaluation() !== undefined) await redecide(world);
    decidedFor = mine;
  };
  return {
    now,
    async ifDue() {
      const evaluation = memory.evaluation();
      if (evaluation === undefined) return;
      const { decidedMs, isTimeless, result } = evaluation;
      const nowMs = world.now();
      const isTime = result.notOffered.some(
        ({ untilMs }) => untilMs !== undefined && untilMs > decidedMs && untilMs <= nowMs,
      );
      const isOld = !isTimeless && Math.abs(nowMs - decidedMs) >= AT_LEAST_EVERY_MS;
      if (isTime || isOld || decidedFor !== about()) await now();
    },
  };
}
