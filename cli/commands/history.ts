/** `upbeat history`: one line an operation, newest first, with the reason when it did not last. */
import { z } from "zod";
import { deviceHistory } from "../../device/deviceCalls.ts";
import type { DownloadPlan } from "../../protocol/downloadPlan.ts";
import type { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { command } from "../command.ts";
import { bytes, count, duration, fromTo, moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const history = command({
  name: "history",
  summary: "List what was installed, rolled back and removed, newest first",
  options: [ROOT_OPTION, { flags: "--limit <n>", text: "how many entries (default 50)" }],
  examples: [
    ["upbeat history", "the last 50 operations"],
    ["upbeat history --limit 5 --json", "the last five for a script"],
  ],
  input: z.object({ ...RootInput, limit: z.coerce.number().int().min(1).max(1000).default(50) }),
  run: async (input, session) => {
    const entries = await deviceHistory(deviceRoot(session.world, input), input.limit);
    return {
      schema: "upbeat.history/1",
      data: { entries },
      text: (style) => historyText(style, entries),
    };
  },
});

export function historyText(style: Style, entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return "Nothing was installed yet.";
  const paint = { succeeded: style.good, failed: style.bad, "rolled-back": style.warn };
  const rows = entries.map((entry) => [
    moment(entry.endedMs),
    entry.operation,
    entry.operation === "verify"
      ? `${entry.product} ${entry.toVersion ?? ""}`
      : fromTo(entry.product, entry.fromVersion, entry.toVersion, style.marks.arrow),
    paint[entry.result](entry.result),
    duration(entry.endedMs - entry.startedMs),
    entry.download === undefined ? "" : fetched(entry.download),
    entry.error === undefined ? noteOf(entry) : reason(entry.error),
  ]);
  const header = ["ENDED", "OPERATION", "UPDATE", "RESULT", "TOOK", "FETCHED", "REASON"];
  return table(style, header, rows);
}

const WAYS = { nothing: "all was here", patches: "as a patch", files: "whole files" };

const fetched = ({ bytes: size, way }: DownloadPlan): string =>
  way === "nothing" ? WAYS[way] : `${bytes(size)} ${WAYS[way]}`;

/** What is worth knowing of something that went well. */
function noteOf({ download, verify }: HistoryEntry): string {
  if (verify !== undefined && verify.damagedCount > 0)
    return `${verify.mendedCount} of ${count(verify.damagedCount, "damaged entry", "damaged entries")} mended`;
  const [why] = download?.fellBack ?? [];
  return why === undefined ? "" : `no patch: ${reason(why)}`;
}

const reason = (error: { text: string; code: string; detail?: string | undefined }): string =>
  `${error.text}${error.detail === undefined ? "" : ` (${shorten(plain(error.detail))})`}  ${error.code}`;

/** A program's dying words can be pages long; `--json` has them whole. */
const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text);
