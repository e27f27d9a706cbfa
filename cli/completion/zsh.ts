/** A completion script for zsh, on its own `_arguments`. */
import type { CommandWords, OptionWords, TreeWords, Values } from "./words.ts";

export function zshCompletion(tree: TreeWords): string {
  return `#compdef upbeat
# zsh completion for upbeat: upbeat completion zsh > "\${fpath[1]}/_upbeat"
_upbeat() {
  local -a names
  if (( CURRENT == 2 )); then
    names=(${describe(tree.top)})
    _describe command names
    return
  fi
  case $words[2] in
${tree.top.map(([name]) => `    ${name})\n${branch(tree, name)} ;;`).join("\n")}
  esac
}
_upbeat "$@"
`;
}

function branch(tree: TreeWords, name: string): string {
  const children = tree.groups[name];
  const bare = tree.commands.find((one) => one.path.join(" ") === name);
  if (children === undefined) return bare === undefined ? "      :" : argumentsCall(bare, 1);
  const cases = children.map(([child]) => {
    const found = tree.commands.find((one) => one.path.join(" ") === `${name} ${child}`);
    return found === undefined ? "" : `        ${child})\n${argumentsCall(found, 2)} ;;`;
  });
  return `      if (( CURRENT == 3 )) && [[ $words[3] != -* ]]; then
        names=(${describe(children)})
        _describe command names
        return
      fi
      case $words[3] in
${cases.join("\n")}
${bare === undefined ? "" : `        *)\n${argumentsCall(bare, 1)} ;;\n`}      esac`;
}

/** `_arguments` counts from the command's own first word: drop the words that led to it. */
function argumentsCall(command: CommandWords, depth: number): string {
  const specs = [
    ...command.options.map(optionSpec),
    ...command.args.map((values, at) =>
      quote(`${at + 1}:${command.path.at(-1)}:${action(values)}`),
    ),
  ];
  return `          shift ${depth} words; (( CURRENT -= ${depth} ))
          _arguments ${specs.join(" ")}`;
}

function optionSpec(option: OptionWords): string {
  const name = option.names.at(-1) ?? "";
  const value = option.takesValue ? `:value:${action(option.values)}` : "";
  return quote(`${name}[${option.text.replace(/[[\]:]/g, " ")}]${value}`);
}

function action(values: Values): string {
  if (values === undefined) return " ";
  if ("words" in values) return `(${values.words.join(" ")})`;
  return values.files === "folder" ? "_files -/" : "_files";
}

const describe = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, text]) => quote(`${name}:${text}`)).join(" ");

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
