/** The answer to `upbeat why`: what `core/explain.ts` says, and what an offered update waits for. */
import { explain } from "../../core/explain.ts";
import type { Plan } from "../../core/timing/plan.ts";
import type { Explanation, Waiting } from "../../protocol/decisions.ts";
import type { ErrorReport } from "../../protocol/errors/error.ts";
import type { Product, UpdateId, Version } from "../../protocol/ids.ts";
import type { UpdateRecord } from "../../protocol/updateServiceApi.ts";
import { type DecideInput, lookAt } from "./scan.ts";

export interface WhyInput {
  readonly decide: DecideInput;
  readonly plan: Plan | undefined;
  readonly records: readonly UpdateRecord[];
}

/** Errors: those of the repository, when the answer needs what is not kept here. */
export async function whyUpdate(
  { decide, plan, records }: WhyInput,
  asked: { readonly product: Product; readonly version?: Version | undefined },
): Promise<Explanation> {
  const { input } = await lookAt(decide, asked);
  const found = explain(input, asked);
  const { version } = found;
  if (version === undefined) return found;
  const waiting = waitsOf(plan, { product: asked.product, version });
  const error = errorOf(records, { product: asked.product, version });
  const [first] = waiting;
  return {
    ...found,
    waiting,
    ...(first === undefined ? {} : { sentence: `${found.sentence} ${first.sentence}` }),
    ...(first?.untilMs === undefined || found.untilMs !== undefined
      ? {}
      : { untilMs: first.untilMs }),
    ...(error === undefined ? {} : { lastError: error }),
  };
}

type Named = Pick<UpdateId, "product" | "version">;

function waitsOf(plan: Plan | undefined, asked: Named): Waiting[] {
  const isAsked = (id: Named): boolean =>
    id.product === asked.product && id.version === asked.version;
  const steps = (plan?.waiting ?? []).filter(({ update }) => isAsked(update));
  const restart = plan?.restart?.plan;
  const restarts = restart?.updates.some(isAsked) === true ? restart.waiting : [];
  return [...steps.flatMap(({ waiting }) => waiting), ...restarts];
}

const errorOf = (records: readonly UpdateRecord[], asked: Named): ErrorReport | undefined =>
  records.find((it) => it.product === asked.product && it.version === asked.version)?.error;
