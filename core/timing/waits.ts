/** What each update waits for, as a plan says it: its own next step, and the restart that it needs. Pure. */
import type { Explanation, Waiting } from "../../protocol/decisions.ts";
import type { WaitingUpdate } from "../../protocol/deviceApi.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { Plan } from "./plan.ts";

export function waitsOf(plan: Plan | undefined): WaitingUpdate[] {
  const restart = plan?.restart?.plan;
  const waits = [
    ...(plan?.waiting ?? []),
    ...(restart?.updates ?? []).map((update) => ({ update, waiting: restart?.waiting ?? [] })),
  ];
  return waits.flatMap(({ update: { product, version }, waiting }) =>
    waiting.length === 0 ? [] : [{ product, version, waiting: [...waiting] }],
  );
}

/** The answer with what the update waits for; `atMs`: as it was then. */
export function explainedWithWaits(
  found: Explanation,
  waits: readonly WaitingUpdate[],
  atMs?: number,
): Explanation {
  const waiting = waits.filter((it) => isOf(it, found)).flatMap((it): Waiting[] => it.waiting);
  const [first] = waiting;
  if (first === undefined) return found;
  return {
    ...found,
    waiting,
    sentence: `${found.sentence} ${first.sentence}`,
    ...(atMs === undefined ? {} : { waitingAtMs: atMs }),
    ...(first.untilMs === undefined || found.untilMs !== undefined
      ? {}
      : { untilMs: first.untilMs }),
  };
}

const isOf = (it: Pick<UpdateId, "product" | "version">, found: Explanation): boolean =>
  it.product === found.product && it.version === found.version;
