/** An answer to "why": the sentence first, then what it waits for, then every question on the way. */
import type { Explanation, TraceStep } from "../../protocol/decisions.ts";
import { moment, plain } from "./format.ts";
import type { Style } from "./style.ts";

export function explanationText(style: Style, found: Explanation): string {
  const until = found.untilMs === undefined ? [] : [`Until ${moment(found.untilMs)}.`];
  const waits = found.waiting.map(
    ({ sentence, untilMs }) =>
      `  ${plain(sentence)}${untilMs === undefined ? "" : ` (until ${moment(untilMs)})`}`,
  );
  const failed =
    found.lastError === undefined
      ? []
      : [style.warn(`Last error: ${plain(found.lastError.text)} (${found.lastError.code})`)];
  return [
    style.bold(plain(found.sentence)),
    ...until,
    ...(waits.length === 0 ? [] : [waitsTitle(found.waitingAtMs), ...waits]),
    ...failed,
    ...(found.trace.length === 0 ? [] : ["", style.dim("How it came to that:")]),
    ...found.trace.flatMap((step) => traceLines(style, step, 0)),
  ].join("\n");
}

const waitsTitle = (atMs: number | undefined): string =>
  atMs === undefined ? "It waits:" : `It waited, as the machine said on ${moment(atMs)}:`;

const MAX_DEPTH = 40;

function traceLines(style: Style, step: TraceStep, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  const mark = {
    passed: style.good(style.marks.done),
    stopped: style.bad(style.marks.failed),
    noted: style.dim("·"),
  }[step.answer];
  return [
    `${"  ".repeat(depth)}${mark} ${plain(step.question)} ${style.dim(plain(step.because))}`,
    ...(step.parts ?? []).flatMap((part) => traceLines(style, part, depth + 1)),
  ];
}
