/** `upbeat explain CODE`: what an error code means, from the catalogue, without any network. */
import { z } from "zod";
import { CATALOGUE, type ErrorCode, type ErrorRow } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { WindowsCode } from "../../protocol/errors/windowsUpdate.ts";
import { CAUSES } from "../../protocol/troubleshooting/causes.ts";
import { type Answer, command } from "../command.ts";
import { KNOWN_CODES, meantBy } from "../explainCode.ts";
import { plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts } from "../screen/table.ts";

export const explain = command({
  name: "explain",
  args: { "<code>": { text: "e.g. UPB-TRUST-EXPIRED", suggests: KNOWN_CODES } },
  summary: "Say what an error code means, what causes it and what to do",
  details:
    "Also knows the codes of Windows Update that people meet most, however they are written, and says what is\nnearest to them here.",
  examples: [
    ["upbeat explain UPB-LOCAL-NOT-RUNNING", "works offline"],
    [
      "upbeat explain 0x80240022",
      "a code of Windows Update; 80240022, -2145124318 and its name do too",
    ],
  ],
  input: z.object({ code: z.string().max(200) }),
  run: async ({ code }) => {
    const meant = meantBy(code);
    switch (meant.is) {
      case "ours":
        return ourAnswer(meant.code);
      case "windows":
        return windowsAnswer(meant.windows);
      case "family":
        return familyAnswer(meant.hex, meant.about);
      case "unknown": {
        const { nearest } = meant;
        const detail =
          nearest.length === 0 ? {} : { detail: `did you mean ${nearest.join(" or ")}?` };
        throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `code ${plain(code)}`, ...detail });
      }
    }
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

/** Where it stands in the documentation. */
const pageOf = (code: string): string => `docs/errors.md#${code.toLowerCase()}`;

function ourAnswer(code: ErrorCode): Answer {
  const row: ErrorRow = CATALOGUE[code];
  return {
    schema: "upbeat.explain/1",
    data: { code, ...row, page: pageOf(code) },
    text: (style) => `${style.bold(code)}\n${facts(style, rowsOf(row))}`,
  };
}

const rowsOf = (row: ErrorRow): (readonly [string, string])[] => [
  ["Means", row.text],
  ["Happens at", row.stage],
  ...row.causes.map((cause, at) => [at === 0 ? "Because" : "or", cause] as const),
  ["Do", row.remedy],
  ["Try again?", RETRY_WORDS[row.retry]],
];

function windowsAnswer(windows: WindowsCode): Answer {
  const { hex, name, means, here, codes, causes } = windows;
  const nearest = codes.map((code) => ({ code, ...CATALOGUE[code], page: pageOf(code) }));
  const roots = causes.map((cause) => {
    const { title, remedy } = CAUSES[cause];
    return { cause, title, remedy };
  });
  return {
    schema: "upbeat.explainWindows/1",
    data: { code: `0x${hex}`, name, means, here, nearest, causes: roots },
    text: (style) =>
      [
        `${style.bold(`0x${hex}`)} ${name} ${style.dim("(Windows Update)")}`,
        facts(style, [
          ["Means there", means],
          ["Here", here],
          ...roots.map(
            ({ title, remedy }, at) => [at === 0 ? "Likely" : "or", `${title}. ${remedy}`] as const,
          ),
          ...nearest.map(
            ({ code, text }, at) => [at === 0 ? "Nearest" : "and", `${code}: ${text}`] as const,
          ),
          ["Next", nextStep(style, windows)],
        ]),
      ].join("\n"),
  };
}

function nextStep(style: Style, { codes, causes }: WindowsCode): string {
  if (causes.length > 0) return `${style.accent("upbeat troubleshoot")} finds out which it is here`;
  return style.accent(`upbeat explain ${codes[0] ?? ""}`.trimEnd());
}

function familyAnswer(hex: string, about: string): Answer {
  return {
    schema: "upbeat.explainWindows/1",
    data: { code: `0x${hex}`, about },
    text: (style) =>
      [
        `${style.bold(`0x${hex}`)} ${style.dim("(Windows)")}`,
        facts(style, [
          ["Means there", `Something about ${about}; this code itself is not described here`],
          [
            "Next",
            `${style.accent("upbeat troubleshoot")} finds out what is wrong on this machine`,
          ],
        ]),
      ].join("\n"),
  };
}
