/**
 * `node cli/docs.ts`: writes docs/cli.md, docs/errors.md and the error texts of the pages from the
 * command tree and the error catalogue. `cli/docs.test.ts` fails when they are not current.
 */
import { writeFileSync } from "node:fs";
import { CATALOGUE, type ErrorRow } from "../protocol/errors/catalogue.ts";
import { WINDOWS_CODES } from "../protocol/errors/windowsUpdate.ts";
import { CAUSES } from "../protocol/troubleshooting/causes.ts";
import type { Command } from "./command.ts";
import { RETRY_WORDS } from "./commands/explain.ts";
import { EXIT_CODES } from "./exitCodes.ts";
import { ENVIRONMENT } from "./settings.ts";
import { TREE } from "./tree.ts";

const GENERATED = "<!-- Written by `node cli/docs.ts`. Edit the source, not this page. -->\n";

export const DOCS: readonly (readonly [string, () => string])[] = [
  ["docs/cli.md", cliPage],
  ["docs/errors.md", errorsPage],
  ["web/kit/messages/errors.en.json", errorTexts],
];

if (import.meta.main) {
  for (const [file, page] of DOCS) writeFileSync(new URL(`../${file}`, import.meta.url), page());
}

function cliPage(): string {
  const sections = TREE.flatMap(([heading, nodes]) => [
    `## ${heading.replace(/:$/, "")}`,
    ...nodes.flatMap((node) =>
      node.kind === "command"
        ? [commandSection(node.name, node)]
        : node.commands.map((child) => commandSection(`${node.name} ${child.name}`, child)),
    ),
  ]);
  return [
    "# The command line",
    GENERATED,
    "Results go to stdout; progress, warnings and errors go to stderr. Every command takes `--json`: then",
    "stdout holds one object whose `schema` names its shape and major version, e.g. `upbeat.status/1`;",
    "nothing is asked; and an error is an object too (`upbeat.error/1`).\n",
    "## Exit codes\n",
    mdTable(
      ["Code", "Meaning"],
      EXIT_CODES.map(([code, text]) => [String(code), text]),
    ),
    "## Environment\n",
    mdTable(
      ["Variable", "Meaning"],
      ENVIRONMENT.map(([name, text]) => [`\`${name}\``, text]),
    ),
    "## Shell completion\n",
    "```\nsource <(upbeat completion bash)\nupbeat completion zsh > ~/.zfunc/_upbeat\nupbeat completion fish > ~/.config/fish/completions/upbeat.fish\n```\n",
    ...sections,
  ].join("\n");
}

function commandSection(path: string, command: Command): string {
  const notation = Object.keys(command.args ?? {});
  const rows = [
    ...Object.entries(command.args ?? {}).map(([name, { text, choices }]) => [name, text, choices]),
    ...(command.options ?? []).map(({ flags, text, choices }) => [flags, text, choices]),
  ] as [string, string, readonly string[] | undefined][];
  const table = mdTable(
    ["Argument or option", "Meaning"],
    rows.map(([name, text, choices]) => [
      `\`${name}\``,
      choices ? `${text} (${choices.join(", ")})` : text,
    ]),
  );
  return [
    `### upbeat ${[path, ...notation].join(" ").replaceAll("<", "\\<")}\n`,
    `${command.summary}.${command.details ? ` ${command.details.replaceAll("\n", " ")}` : ""}\n`,
    ...(rows.length > 0 ? [table] : []),
    `\`\`\`\n${command.examples.map(([line, what]) => `${line}\n    # ${what}`).join("\n")}\n\`\`\`\n`,
  ].join("\n");
}

function errorsPage(): string {
  const rows: [string, ErrorRow][] = Object.entries(CATALOGUE);
  const sections = rows.map(([code, row]) =>
    [
      `## ${code}\n`,
      `${row.text}. Happens at: ${row.stage}. Worth trying again: ${RETRY_WORDS[row.retry]}.\n`,
      ...row.causes.map((cause) => `- ${cause}`),
      `\n**Do:** ${row.remedy}.\n`,
    ].join("\n"),
  );
  return [
    "# Errors",
    GENERATED,
    "Every error that any part of Upbeat can raise. `upbeat explain CODE` prints the same, offline.\n",
    ...sections,
    "## Codes of Windows Update\n",
    "What people know from there or find in guides, with what is nearest to it here. Upbeat raises none of\nthem; `upbeat explain` takes each as a number, with or without `0x`, as a signed number and by name.\n",
    mdTable(
      ["Code", "Name", "Means there", "Here", "Nearest"],
      WINDOWS_CODES.map(({ hex, name, means, here, codes, causes }) => [
        `0x${hex}`,
        name,
        means,
        here,
        [
          ...codes.map((code) => `[${code}](#${code.toLowerCase()})`),
          ...causes.map((cause) => CAUSES[cause].title),
        ].join("; "),
      ]),
    ),
  ].join("\n");
}

/** What the pages show of an error that its report does not carry, in the language that it is written in. */
function errorTexts(): string {
  const texts = Object.entries(CATALOGUE).map(([code, { text, causes, remedy }]) => [
    code,
    { text, causes, remedy },
  ]);
  return `${JSON.stringify(Object.fromEntries(texts), undefined, 2)}\n`;
}

function mdTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}
