/** `upbeat facts`: what this machine is, as rules see it. */
import { z } from "zod";
import { deviceFacts } from "../../device/deviceCalls.ts";
import type { FactReport } from "../../protocol/orchestratorApi.ts";
import { command } from "../command.ts";
import { count, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

/** A source with more facts than this is told by its number, unless it is asked for. */
const SHOWN_AT_ONCE = 30;

export const facts = command({
  name: "facts",
  args: { "[source]": { text: "only this source, all of it, e.g. packages" } },
  summary: "Show what is known about this machine, where it comes from and what failed",
  details:
    "Rules of updates ask about these. Facts of your own come from etc/upbeat/facts.d: an executable\nthat prints one JSON object, or a .json file; both must belong to root. Tags: etc/upbeat/tags.",
  options: [ROOT_OPTION],
  examples: [
    ["upbeat facts", "by source"],
    ["upbeat facts packages", "every installed Debian package"],
    ["upbeat facts --json | jq '.facts.sources[].failure'", "for a script"],
  ],
  input: z.object({ ...RootInput, source: z.string().optional() }),
  run: async ({ root, source }, session) => {
    session.progress.show({ text: "Collect facts" });
    const found = await deviceFacts(deviceRoot(session.world, { root }));
    session.progress.end("done");
    const wanted = found.sources.filter((one) => source === undefined || one.source === source);
    const report = { ...found, sources: wanted };
    return {
      schema: "upbeat.facts/1",
      data: { facts: report },
      text: (style) => factsText(style, report, source === undefined),
    };
  },
});

function factsText(style: Style, { sources }: FactReport, brief: boolean): string {
  const rows = sources.flatMap(({ source, facts: found, failure }) => {
    const names = Object.keys(found).toSorted();
    if (brief && names.length > SHOWN_AT_ONCE) {
      const more = `${count(names.length, "fact")}: upbeat facts ${source}`;
      return [[source, style.dim(more), ""]];
    }
    const lines = names.map((name) => [source, plain(name), plain(String(found[name]))]);
    return failure === undefined
      ? lines
      : [...lines, [source, style.bad("failed"), plain(failure)]];
  });
  return table(style, ["SOURCE", "FACT", "VALUE"], rows);
}
