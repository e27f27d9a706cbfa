/**
 * What a person means by a code: one of ours, or one of Windows Update's in any of the ways in which
 * it is written down (`0x80240022`, `80240022`, `-2145124318`, `WU_E_ALL_UPDATES_FAILED`). Pure.
 */
import { CATALOGUE, type ErrorCode } from "../protocol/errors/catalogue.ts";
import {
  WINDOWS_CODES,
  WINDOWS_FAMILIES,
  type WindowsCode,
} from "../protocol/errors/windowsUpdate.ts";

export type Meant =
  | { readonly is: "ours"; readonly code: ErrorCode }
  | { readonly is: "windows"; readonly windows: WindowsCode }
  /** A code of Windows that is not described, but what it is about is known. */
  | { readonly is: "family"; readonly hex: string; readonly about: string }
  | { readonly is: "unknown"; readonly nearest: readonly string[] };

export function meantBy(text: string): Meant {
  const word = text.trim().toUpperCase();
  if (Object.hasOwn(CATALOGUE, word)) return { is: "ours", code: word as ErrorCode };
  const name = word.replaceAll("-", "_");
  const named = WINDOWS_CODES.find((it) => namesOf(it).includes(name));
  if (named !== undefined) return { is: "windows", windows: named };
  const readings = readingsOf(word);
  const windows = WINDOWS_CODES.find(({ hex }) => readings.includes(hex));
  if (windows !== undefined) return { is: "windows", windows };
  for (const hex of readings) {
    const family = WINDOWS_FAMILIES.find(([start]) => hex.startsWith(start));
    if (family !== undefined) return { is: "family", hex, about: family[1] };
  }
  return { is: "unknown", nearest: nearestTo(word) };
}

/** People leave out the prefix that all have. */
const namesOf = ({ name }: WindowsCode): string[] => [name, name.replace(/^(?:WU|USO)_[ES]_/, "")];

/**
 * Eight digits of base 16, once for each way in which the word can be read as a number: guides write
 * it in base 16 with or without `0x`, logs and PowerShell the same 32 bits as a signed one.
 */
function readingsOf(word: string): string[] {
  const hex = /^(?:0X)?([0-9A-F]{6,8})$/.exec(word)?.[1];
  const number = /^-?\d{1,10}$/.test(word) ? Number(word) : Number.NaN;
  const is32Bits = number >= -(2 ** 31) && number < 2 ** 32;
  return [
    ...(hex === undefined ? [] : [hex]),
    ...(is32Bits ? [(number >>> 0).toString(16)] : []),
  ].map((digits) => digits.toUpperCase().padStart(8, "0"));
}

/** Every word that can be asked for, for completion too. */
export const KNOWN_CODES: readonly string[] = [
  ...Object.keys(CATALOGUE),
  ...WINDOWS_CODES.flatMap(({ hex, name }) => [`0x${hex}`, name]),
];

const MOST_SUGGESTIONS = 3;

function nearestTo(word: string): string[] {
  return KNOWN_CODES.map((code) => {
    const known = code.toUpperCase();
    // Whoever types one part of a long code means those that have it.
    const part = word.length >= 4 && known.includes(word);
    return { code, distance: part ? 0 : editDistance(word, known) };
  })
    .filter(({ code, distance }) => distance <= Math.max(2, code.length * 0.35))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ code }) => code);
}

/** Letters to add, take away or change (Levenshtein). Both are short. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
