/**
 * Reads TypeScript source as text: which modules it imports and which codes it names.
 *
 * A scanner and not a parser: it knows comments, strings, templates and regular expressions well
 * enough not to be fooled by what stands inside them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface Import {
  /** As written: `node:fs`, `./x.ts`, `zod`. Undefined: computed, so nobody can tell. */
  readonly specifier: string | undefined;
  /** `import type` and `export type … from`: gone when the program runs. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** All TypeScript of these folders, tests and pages included. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((name) => join(root, folder, name))
      .filter((path) => /\.tsx?$/.test(path))
      .map((path) => ({ path: relative(root, path), text: readFileSync(path, "utf8") })),
  );
}

/** Code whose comments are blanked and whose strings are numbers into `strings`: `import "0"`. */
export interface Code {
  readonly text: string;
  readonly strings: readonly string[];
}

const STATIC = /\b(?:import|export)\s+(type\s+)?(?:[\w$*{}\s,]*?\bfrom\s*)?"(\d+)"/g;
const CALLED = /(?<![.\w$])(?:import|require)\s*\(\s*(?:"(\d+)"\s*[,)])?/g;

export function importsOf(source: string): Import[] {
  const { text, strings } = codeOf(source);
  const found: Import[] = [];
  for (const [, type, index] of text.matchAll(STATIC)) {
    found.push({ specifier: strings[Number(index)], typeOnly: type !== undefined });
  }
  for (const [, index] of text.matchAll(CALLED)) {
    const specifier = index === undefined ? undefined : strings[Number(index)];
    found.push({ specifier, typeOnly: false });
  }
  return found;
}

/** Templates keep the code in their holes and lose their text; regular expressions become `/./`. */
export function codeOf(source: string): Code {
  const strings: string[] = [];
  return { text: scan(source, strings), strings };
}

function scan(source: string, strings: string[]): string {
  let out = "";
  let at = 0;
  while (at < source.length) {
    const end = endOfToken(source, at, out);
    const token = source.slice(at, end);
    const first = token[0];
    if (token.startsWith("//") || (token.startsWith("/*") && token.length > 3)) out += " ";
    else if (first === '"' || first === "'") out += `"${strings.push(token.slice(1, -1)) - 1}"`;
    else if (first === "`") out += templateCode(token, strings);
    else if (first === "/" && token.length > 1) out += "/./";
    else out += token;
    at = end;
  }
  return out;
}

/** Where the comment, string, template, regular expression or single character at `at` ends. */
function endOfToken(text: string, at: number, before: string): number {
  const rest = text.slice(at, at + 2);
  if (rest === "//") return indexOr(text, "\n", at);
  if (rest === "/*") return indexOr(text, "*/", at + 2) + 2;
  const first = text[at];
  if (first === '"' || first === "'") return endOfQuoted(text, at, first);
  if (first === "`") return endOfTemplate(text, at);
  if (
    first === "/" &&
    /(?:^|[(,=:[!&|?{};+*%~^<>\n-]|\breturn|\btypeof)\s*$/.test(before.slice(-40))
  )
    return endOfRegExp(text, at);
  return at + 1;
}

function endOfQuoted(text: string, at: number, quote: string): number {
  let i = at + 1;
  while (i < text.length && text[i] !== quote && text[i] !== "\n") i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}

function endOfRegExp(text: string, at: number): number {
  let inClass = false;
  for (let i = at + 1; i < text.length && text[i] !== "\n"; i++) {
    const char = text[i];
    if (char === "\\") i++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return i + 1;
  }
  return at + 1; // a division after all
}

function endOfTemplate(text: string, at: number): number {
  let i = at + 1;
  while (i < text.length && text[i] !== "`") {
    if (text[i] === "\\") i += 2;
    else if (text.startsWith("${", i)) i = endOfHole(text, i + 2);
    else i++;
  }
  return i + 1;
}

function endOfHole(text: string, at: number): number {
  let depth = 0;
  let i = at;
  while (i < text.length) {
    if (text[i] === "}" && depth-- === 0) return i + 1;
    if (text[i] === "{") depth++;
    i = endOfToken(text, i, text.slice(at, i));
  }
  return i;
}

function templateCode(template: string, strings: string[]): string {
  let code = "`";
  for (let i = 1; i < template.length - 1; ) {
    if (template[i] === "\\") i += 2;
    else if (template.startsWith("${", i)) {
      const end = endOfHole(template, i + 2);
      code += ` ${scan(template.slice(i + 2, end - 1), strings)} `;
      i = end;
    } else i++;
  }
  return `${code}\``;
}

function indexOr(text: string, what: string, from: number): number {
  const index = text.indexOf(what, from);
  return index < 0 ? text.length : index;
}
