/**
 * The shape of a command. Its flags are data and its input is a schema, so parsing, help, shell
 * completion and docs/cli.md have one source. A command returns its answer; `run.ts` prints it, as
 * text or, with --json, as one object on stdout.
 */
import type { z } from "zod";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { ExitCode } from "./exitCodes.ts";
import type { Progress } from "./screen/progress.ts";
import type { Style } from "./screen/style.ts";
import type { World } from "./world.ts";

export interface Option {
  /** As commander reads them: `--product <name>`, `--full`, `--supersedes <update...>`. */
  readonly flags: string;
  readonly text: string;
  readonly choices?: readonly string[];
  /** What the shell completes after it. */
  readonly completes?: "file" | "folder";
}

export interface Argument {
  readonly text: string;
  readonly choices?: readonly string[];
  /** What the shell offers although other words are allowed too. */
  readonly suggests?: readonly string[];
  readonly completes?: "file" | "folder";
}

/** What a command found or did. */
export interface Answer {
  /** `upbeat.status/1`: name and major version of `data`. */
  readonly schema: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly text: (style: Style) => string;
  readonly exitCode?: ExitCode;
}

/** What a command gets besides its input. */
export interface Session {
  readonly world: World;
  /** True with --json: ask nothing. */
  readonly json: boolean;
  readonly progress: Progress;
  /** Prints an answer at once, for commands that then go on running. */
  answer(answer: Answer): void;
  /** A line on stderr. */
  note(text: string): void;
}

export interface CommandSpec<Input> {
  readonly name: string;
  /** Commander's notation, e.g. `<folder>` or `[product]`; the names become input fields. */
  readonly args?: Readonly<Record<string, Argument>>;
  readonly summary: string;
  readonly details?: string;
  readonly options?: readonly Option[];
  /** Command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  readonly input: z.ZodType<Input>;
  run(input: Input, session: Session): Promise<Answer | undefined>;
}

/** A command whose input type is sealed inside: what the tree holds. */
export interface Command extends Omit<CommandSpec<unknown>, "input" | "run"> {
  readonly kind: "command";
  readonly run: (raw: unknown, session: Session) => Promise<Answer | undefined>;
}

export interface Group {
  readonly kind: "group";
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
  /** What the bare group does: `upbeat services` is `upbeat services list`. */
  readonly bare: string | undefined;
}

export function command<Input>(spec: CommandSpec<Input>): Command {
  const { input, run, ...rest } = spec;
  return {
    ...rest,
    kind: "command",
    run: async (raw, session) => run(parseInput(input, raw, spec.name), session),
  };
}

export const group = (
  name: string,
  summary: string,
  commands: readonly Command[],
  bare?: string,
): Group => ({ kind: "group", name, summary, commands, bare });

function parseInput<Input>(schema: z.ZodType<Input>, raw: unknown, object: string): Input {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const detail = parsed.error.issues
    .map((issue) => `${optionName(issue.path)}: ${issue.message}`)
    .join("\n");
  throw new UpbeatError("UPB-CLI-USAGE", { object: `upbeat ${object}`, detail });
}

/** `healthUrl` is what commander makes of `--health-url`. */
function optionName(path: readonly PropertyKey[]): string {
  const name = String(path[0] ?? "input");
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
