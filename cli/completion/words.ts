/** The command tree as the three completion scripts need it: what may follow which words. */
import type { Argument, Command, Group, Option } from "../command.ts";

export type Values = { words: readonly string[] } | { files: "file" | "folder" } | undefined;

export interface OptionWords {
  /** `--root`, or a short one too: `-v`. */
  readonly names: readonly string[];
  readonly text: string;
  readonly takesValue: boolean;
  readonly values: Values;
}

export interface CommandWords {
  /** `["keys", "init"]`. */
  readonly path: readonly string[];
  readonly text: string;
  readonly options: readonly OptionWords[];
  /** In order; the last one repeats when it is variadic. */
  readonly args: readonly Values[];
}

export interface TreeWords {
  /** First words, with their summaries. */
  readonly top: readonly (readonly [string, string])[];
  /** Second words by first word. */
  readonly groups: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly commands: readonly CommandWords[];
}

export function treeWords(nodes: readonly (Command | Group)[]): TreeWords {
  const groups: Record<string, [string, string][]> = {};
  const commands: CommandWords[] = [];
  for (const node of nodes) {
    if (node.kind === "command") {
      commands.push(commandWords([node.name], node));
      continue;
    }
    groups[node.name] = node.commands.map((child) => [child.name, child.summary]);
    for (const child of node.commands) commands.push(commandWords([node.name, child.name], child));
    const bare = node.commands.find((child) => child.name === node.bare);
    if (bare !== undefined) commands.push(commandWords([node.name], bare));
  }
  return { top: nodes.map((node) => [node.name, node.summary]), groups, commands };
}

function commandWords(path: readonly string[], command: Command): CommandWords {
  const common: Option[] = [
    { flags: "--json", text: "print one JSON object on stdout, ask nothing" },
    { flags: "--help", text: "show help" },
  ];
  return {
    path,
    text: command.summary,
    options: [...(command.options ?? []), ...common].map((option) => ({
      names: option.flags.split(/[ ,|]+/).filter((word) => word.startsWith("-")),
      text: option.text,
      takesValue: /[<[]/.test(option.flags),
      values: valuesOf(option),
    })),
    args: Object.values(command.args ?? {}).map(valuesOf),
  };
}

function valuesOf(spec: Option | Argument): Values {
  const words = spec.choices ?? ("suggests" in spec ? spec.suggests : undefined);
  if (words !== undefined) return { words };
  return spec.completes === undefined ? undefined : { files: spec.completes };
}
