/** A completion script for fish 3 and later. */
import type { CommandWords, TreeWords, Values } from "./words.ts";

export function fishCompletion(tree: TreeWords): string {
  const lines = [
    "# fish completion for upbeat: upbeat completion fish > ~/.config/fish/completions/upbeat.fish",
  ];
  lines.push("complete -c upbeat -f");
  for (const [name, text] of tree.top) {
    lines.push(`complete -c upbeat -n __fish_use_subcommand -a ${quote(name)} -d ${quote(text)}`);
  }
  for (const [name, children] of Object.entries(tree.groups)) {
    const names = children.map(([child]) => child).join(" ");
    const here = `__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${names}`;
    for (const [child, text] of children) {
      lines.push(`complete -c upbeat -n ${quote(here)} -a ${quote(child)} -d ${quote(text)}`);
    }
  }
  for (const command of tree.commands) lines.push(...commandLines(tree, command));
  return `${lines.join("\n")}\n`;
}

function commandLines(tree: TreeWords, { path, options, args }: CommandWords): string[] {
  const children = tree.groups[path[0] ?? ""]?.map(([child]) => child) ?? [];
  // A bare group's own options stop once a sub-command is named.
  const notDeeper =
    path.length === 1 && children.length > 0
      ? `; and not __fish_seen_subcommand_from ${children.join(" ")}`
      : "";
  const here = path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ") + notDeeper;
  return [
    ...options.map((option) => {
      const name = (option.names.at(-1) ?? "").replace(/^--/, "");
      const value = option.takesValue ? ` ${valueFlags(option.values)}` : "";
      return `complete -c upbeat -n ${quote(here)} -l ${name}${value} -d ${quote(option.text)}`;
    }),
    ...args
      .map(source)
      .filter((words) => words !== "")
      .map((words) => `complete -c upbeat -n ${quote(here)}${words}`),
  ];
}

/** `-x`: the value is one of these, not a file; `-r -F`: a file. */
const valueFlags = (values: Values): string => {
  const isFile = values !== undefined && "files" in values && values.files === "file";
  return isFile ? "-r -F" : `-x${source(values)}`;
};

function source(values: Values): string {
  if (values === undefined) return "";
  if ("words" in values) return ` -a ${quote(values.words.join(" "))}`;
  return values.files === "folder" ? " -a '(__fish_complete_directories)'" : " -F";
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
