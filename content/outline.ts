/**
 * A payload list without sizes and hashes, as lines of text: what of it compares and compresses well.
 *
 *   f MODE PATH   a file          l PATH <tab> TARGET   a link          d MODE PATH   a folder
 *
 * No path or target that `treeRules.ts` allows holds a tab or an end of line.
 * Errors: UPB-DELTA-MALFORMED.
 */
import type { FileEntry, TreeEntry } from "../protocol/payload.ts";
import { malformed } from "./delta/malformed.ts";

export type OutlineEntry =
  | Exclude<TreeEntry, FileEntry>
  | Pick<FileEntry, "type" | "path" | "mode">;

export function outlineOf(entries: readonly TreeEntry[]): Uint8Array {
  return new TextEncoder().encode(entries.map((entry) => `${lineOf(entry)}\n`).join(""));
}

function lineOf(entry: TreeEntry): string {
  if (entry.type === "link") return `l ${entry.path}\t${entry.target}`;
  return `${entry.type === "file" ? "f" : "d"} ${entry.mode.toString(8)} ${entry.path}`;
}

export function parseOutline(bytes: Uint8Array): OutlineEntry[] {
  const lines = textOf(bytes).split("\n");
  if (lines.pop() !== "") throw malformed("its outline has no end");
  return lines.map(parseLine);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("its outline is no text");
  }
}

function parseLine(line: string): OutlineEntry {
  const link = /^l ([^\t]+)\t([^\t]+)$/.exec(line);
  if (link?.[1] !== undefined && link[2] !== undefined)
    return { type: "link", path: link[1], target: link[2] };
  const [, kind, mode, path] = /^([fd]) ([0-7]{1,3}) ([^\t]+)$/.exec(line) ?? [];
  if (mode === undefined || path === undefined) throw malformed("its outline cannot be read");
  return { type: kind === "f" ? "file" : "folder", path, mode: parseInt(mode, 8) };
}
