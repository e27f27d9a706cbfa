/** Which error codes a source raises and which it names, read from its text. */
import { codeOf, type SourceFile } from "./support/sourceText.ts";

const CODE = /\bUPB(?:-[A-Z0-9]+){2,}\b/g;

/**
 * Codes that stand as a value: thrown, returned or chosen. Not those that are only compared with,
 * or the key of a table (that names what to do when somebody else raises it).
 */
export function raisedCodes({ text }: SourceFile): string[] {
  const code = codeOf(text);
  return [...code.text.matchAll(/"(\d+)"/g)].flatMap((match) => {
    const value = code.strings[Number(match[1])] ?? "";
    if (value.match(CODE)?.[0] !== value) return [];
    const before = code.text.slice(0, match.index).trimEnd();
    const after = code.text.slice(match.index + match[0].length).trimStart();
    const compared = /[!=]==?$/.test(before) || /^[!=]==?/.test(after) || /\bcase$/.test(before);
    const key = /[{,]$/.test(before) && after.startsWith(":");
    return compared || key ? [] : [value];
  });
}

/** Every code in the text, comments included: what a reader would look up. */
export function namedCodes({ text }: SourceFile): string[] {
  return text.match(CODE) ?? [];
}
