/** What installs came to: the same failure again and again, or a version that was undone (rows 24 and 36). */
import { z } from "zod";
import { formatUpdate } from "../../../protocol/ids.ts";
import { HistoryEntry } from "../../../protocol/updateServiceApi.ts";
import { check, type Seen } from "../check.ts";

const Facts = z.object({ history: z.array(HistoryEntry) });

/** Twice can be chance; a third time with the same error will not be the last. */
const AGAIN = 3;

export const history = check({
  id: "history",
  title: "Earlier installs",
  rows: [24, 36],
  facts: Facts,
  look: async (machine) => ({ history: machine.state().history }),
  judge({ history: entries }): Seen[] {
    const products = [...new Set(entries.map(({ product }) => product))];
    return products.flatMap((product) => ofProduct(entries.filter((it) => it.product === product)));
  },
});

/** Of one product, newest first, judged by how its newest operation ended. */
function ofProduct(entries: readonly z.infer<typeof HistoryEntry>[]): Seen[] {
  const [newest] = entries;
  if (newest?.error === undefined || newest.result === "succeeded") return [];
  const { error, product } = newest;
  const object = formatUpdate({ product, version: newest.toVersion ?? newest.fromVersion ?? "?" });
  const same = entries.findIndex(
    (it) => it.error?.code !== error.code || it.toVersion !== newest.toVersion,
  );
  const times = same < 0 ? entries.length : same;
  const evidence = [
    `${error.text}: ${error.object}${error.detail === undefined ? "" : ` (${error.detail.slice(0, 300)})`}`,
    `${error.code}, last on ${new Date(newest.endedMs).toISOString()}`,
    `remedy of the error: ${error.remedy}`,
  ];
  if (times >= AGAIN) {
    return [
      { cause: "same-failure-again", object, evidence: [`${times} times in a row`, ...evidence] },
    ];
  }
  return newest.result === "rolled-back" ? [{ cause: "rolled-back", object, evidence }] : [];
}
