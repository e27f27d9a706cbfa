/** `upbeat explain CODE`: what an error code means, from the catalogue, without any network. */
import { z } from "zod";
import { CATALOGUE, type ErrorCode, type ErrorRow } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { command } from "../command.ts";
import { facts } from "../screen/table.ts";

const ROWS: Readonly<Record<string, ErrorRow>> = CATALOGUE;

export const explain = command({
  name: "explain",
  args: { "<code>": { text: "e.g. UPB-TRUST-EXPIRED", suggests: Object.keys(CATALOGUE) } },
  summary: "Say what an error code means, what causes it and what to do",
  examples: [["upbeat explain UPB-LOCAL-NOT-RUNNING", "works offline"]],
  input: z.object({ code: z.string().toUpperCase() }),
  run: async ({ code }) => {
    const row = Object.hasOwn(ROWS, code) ? ROWS[code] : undefined;
    if (row === undefined) throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `code ${code}` });
    return {
      schema: "upbeat.explain/1",
      data: { code, ...row },
      text: (style) =>
        `${style.bold(code)}\n${facts(style, [
          ["Means", row.text],
          ["Happens at", row.stage],
          ...row.causes.map((cause, at) => [at === 0 ? "Because" : "or", cause] as const),
          ["Do", row.remedy],
          ["Try again?", RETRY_WORDS[row.retry]],
        ])}`,
    };
  },
});

export const RETRY_WORDS: Record<(typeof CATALOGUE)[ErrorCode]["retry"], string> = {
  transient: "yes, it passes by itself",
  "local-damage": "after something on this machine is repaired",
  configuration: "after a setting is corrected",
  server: "after the server or what was published is corrected",
  user: "after you acted",
  information: "not a failure",
};
