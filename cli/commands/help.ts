/** `upbeat help [words]`: a command's help, or a topic that belongs to no single command. */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type Command, command } from "../command.ts";
import { EXIT_CODES } from "../exitCodes.ts";
import { ENVIRONMENT } from "../settings.ts";

const rows = (pairs: readonly (readonly [string | number, string])[]): string => {
  const widest = Math.max(...pairs.map(([name]) => String(name).length));
  return pairs.map(([name, text]) => `  ${String(name).padEnd(widest)}  ${text}`).join("\n");
};

export const HELP_TOPICS: Readonly<Record<string, string>> = {
  "exit-codes": `Exit codes of every command:\n\n${rows(EXIT_CODES)}\n`,
  environment: `Environment variables:\n\n${rows(ENVIRONMENT)}\n`,
};

export const helpCommand = (helpFor: (words: readonly string[]) => string | undefined): Command =>
  command({
    name: "help",
    args: { "[words...]": { text: "a command, or exit-codes, or environment" } },
    summary: "Show the help of a command, the exit codes or the environment variables",
    examples: [
      ["upbeat help publish", "the same as `upbeat publish --help`"],
      ["upbeat help exit-codes", "what each exit code means"],
    ],
    input: z.object({ words: z.array(z.string()).default([]) }),
    run: async ({ words }) => {
      const text = helpFor(words);
      if (text === undefined) {
        throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `help for "${words.join(" ")}"` });
      }
      return { schema: "upbeat.help/1", data: { text }, text: () => text };
    },
  });
