/** `upbeat why`: one sentence why an update is or is not offered, then every question on the way. */
import { z } from "zod";
import { explainUpdate } from "../../device/deviceCalls.ts";
import type { Explanation, TraceStep } from "../../protocol/decisions.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product, Version } from "../../protocol/ids.ts";
import { command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const why = command({
  name: "why",
  args: { "<update>": { text: "PRODUCT or PRODUCT@VERSION" } },
  summary: "Say why an update is or is not offered to this machine, and what it waits for",
  options: [ROOT_OPTION],
  examples: [
    ["upbeat why kiosk", "what is offered of it, or its newest version"],
    ["upbeat why kiosk@1.4.0 --json | jq .explanation.reason", "for a script"],
  ],
  input: z.object({ ...RootInput, update: z.string() }),
  run: async ({ root, update }, session) => {
    const { product, version } = named(update);
    const asked = { product, ...(version === undefined ? {} : { version }) };
    const found = await explainUpdate(deviceRoot(session.world, { root }), asked);
    return {
      schema: "upbeat.explanation/1",
      data: { explanation: found },
      text: (style) => explanationText(style, found),
      exitCode: found.outcome === "unknown" ? EXIT.notFound : EXIT.ok,
    };
  },
});

const Named = z.object({ product: Product, version: Version.optional() });

/** Errors: UPB-CLI-USAGE. */
function named(text: string): z.infer<typeof Named> {
  const at = text.indexOf("@");
  const product = at < 0 ? text : text.slice(0, at);
  const parsed = Named.safeParse({ product, ...(at < 0 ? {} : { version: text.slice(at + 1) }) });
  if (parsed.success) return parsed.data;
  throw new UpbeatError("UPB-CLI-USAGE", { object: text, detail: z.prettifyError(parsed.error) });
}

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
    ...(waits.length === 0 ? [] : ["It waits:", ...waits]),
    ...failed,
    ...(found.trace.length === 0 ? [] : ["", style.dim("How it came to that:")]),
    ...found.trace.flatMap((step) => traceLines(style, step, 0)),
  ].join("\n");
}

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
