/** `upbeat verify`: is what is installed what was signed? What is not is mended. */
import { z } from "zod";
import { Product } from "../../protocol/ids.ts";
import type { Change } from "../../protocol/orchestratorApi.ts";
import { command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { followChange } from "../followChange.ts";
import { bytes, count, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const verify = command({
  name: "verify",
  args: { "[product]": { text: "only this product (default: everything that is installed)" } },
  summary: "Check installed files against what was signed, and mend what is damaged",
  details:
    "Damaged or missing files are taken from the local store, or from the server when the store " +
    "has no whole copy. Files that do not belong to the product are counted and left alone.",
  options: [ROOT_OPTION],
  examples: [
    ["upbeat verify", "checks and mends everything that is installed"],
    ["upbeat verify kiosk --json", "one product, for a script"],
  ],
  input: z.object({ ...RootInput, product: Product.optional() }),
  run: async ({ root, product }, session) => {
    const change = await followChange(session, deviceRoot(session.world, { root }), {
      kind: "verify",
      product,
    });
    return {
      schema: "upbeat.change/1",
      data: { change },
      text: (style) => verifyText(style, change.verified ?? []),
      exitCode: change.state === "nothing-to-do" ? EXIT.nothingToDo : EXIT.ok,
    };
  },
});

function verifyText(style: Style, verified: NonNullable<Change["verified"]>): string {
  if (verified.length === 0) return "Nothing to do: nothing is installed.";
  return verified
    .flatMap(({ product, version, report }) => {
      const name = style.bold(`${product}@${version}`);
      const looked = `${count(report.checkedFiles, "file")}, ${bytes(report.checkedBytes)}`;
      const beside =
        report.unknownCount === 0
          ? []
          : [style.dim(`  ${count(report.unknownCount, "name")} beside them left alone`)];
      if (report.damagedCount === 0)
        return [
          `${style.good(style.marks.done)} ${name} is whole  ${style.dim(looked)}`,
          ...beside,
        ];
      const mended = `${count(report.damagedCount, "entry", "entries")} mended, ${report.fetchedCount} from the server`;
      return [
        `${style.good(style.marks.done)} ${name} is whole again: ${mended}  ${style.dim(looked)}`,
        ...report.damaged.map(({ path, what }) => `  ${plain(path)}  ${style.dim(what)}`),
        ...beside,
      ];
    })
    .join("\n");
}
