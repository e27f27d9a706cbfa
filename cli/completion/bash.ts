/** A completion script for bash 4 and later; needs no other package. */
import type { CommandWords, TreeWords, Values } from "./words.ts";

export function bashCompletion(tree: TreeWords): string {
  const groups = Object.entries(tree.groups);
  return `# bash completion for upbeat: upbeat completion bash > /usr/share/bash-completion/completions/upbeat
_upbeat() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local path=\${COMP_WORDS[1]} first=2 place=0 i
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${tree.top.map(([name]) => name).join(" ")} --help --version' -- "$cur"))
    return
  fi
  case $path in
${groups
  .map(
    ([name, children]) => `    ${name})
      case \${COMP_WORDS[2]} in
        ${children.map(([child]) => child).join("|")}) [ "$COMP_CWORD" -gt 2 ] && path="$path \${COMP_WORDS[2]}" && first=3 ;;
      esac
      if [ "$COMP_CWORD" -eq 2 ] && [[ $cur != -* ]]; then
        COMPREPLY=($(compgen -W '${children.map(([child]) => child).join(" ")}' -- "$cur"))
        return
      fi ;;`,
  )
  .join("\n")}
  esac
  case "$path $prev" in
${tree.commands.flatMap(optionValueCases).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case $path in
${tree.commands.map((one) => `      '${one.path.join(" ")}') COMPREPLY=($(compgen -W '${one.options.flatMap(({ names }) => names).join(" ")}' -- "$cur")) ;;`).join("\n")}
    esac
    return
  fi
  # Which positional argument this is: words so far that are neither options nor their values.
  for ((i = first; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${tree.commands.flatMap(skipCases).join("\n")}
      *' -'*) ;;
      *) ((place++)) ;;
    esac
  done
  case "$path $place" in
${tree.commands.flatMap(argumentCases).join("\n")}
  esac
}
complete -F _upbeat upbeat
`;
}

function optionValueCases({ path, options }: CommandWords): string[] {
  return options
    .filter((option) => option.takesValue)
    .map((option) => {
      const patterns = option.names.map((name) => `'${path.join(" ")} ${name}'`).join("|");
      return `    ${patterns}) ${offer(option.values)}return ;;`;
    });
}

function skipCases({ path, options }: CommandWords): string[] {
  const names = options.filter((option) => option.takesValue).flatMap((option) => option.names);
  if (names.length === 0) return [];
  return [`      ${names.map((name) => `'${path.join(" ")} ${name}'`).join("|")}) ((i++)) ;;`];
}

function argumentCases({ path, args }: CommandWords): string[] {
  return args
    .map((values, at) => [`'${path.join(" ")} ${at}'`, offer(values)] as const)
    .filter(([, reply]) => reply !== "")
    .map(([pattern, reply]) => `    ${pattern}) ${reply};;`);
}

function offer(values: Values): string {
  if (values === undefined) return "";
  if ("words" in values) return `COMPREPLY=($(compgen -W '${values.words.join(" ")}' -- "$cur")); `;
  const kind = values.files === "folder" ? "-d" : "-f";
  return `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen ${kind} -- "$cur"); `;
}
