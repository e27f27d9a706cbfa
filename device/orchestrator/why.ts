/** The answer to `upbeat why`: what `core/explain.ts` says, and what an offered update waits for. */
import { explain } from "../../core/explain.ts";
import type { Plan } from "../../core/timing/plan.ts";
import { explainedWithWaits, waitsOf } from "../../core/timing/waits.ts";
import type { Explanation } from "../../protocol/decisions.ts";
import type { Product, Version } from "../../protocol/ids.ts";
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
  const record = records.find((it) => it.product === asked.product && it.version === found.version);
  return {
    ...explainedWithWaits(found, waitsOf(plan)),
    ...(record?.error === undefined ? {} : { lastError: record.error }),
  };
}
