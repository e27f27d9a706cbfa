/** Which updates an entry of the policy means, as the command line writes it. */
import type { UpdateFilter } from "../../../protocol/offerPolicy.ts";

export function filterText(filter: UpdateFilter): string {
  const { product, version, from, below, classifications } = filter;
  const classes = classifications === undefined ? "" : `class=${classifications.join(",")}`;
  const range = `${from === undefined ? "" : `>=${from}`}${below === undefined ? "" : `<${below}`}`;
  const named =
    product === undefined ? "" : `${product}${version === undefined ? range : `@${version}`}`;
  return [named, classes].filter((part) => part !== "").join(" ") || "all";
}
