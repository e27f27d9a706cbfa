/** Columns of text: aligned on a terminal and in a pipe alike, one row a line, never wrapped. */
import { stripVTControlCharacters } from "node:util";
import type { Style } from "./style.ts";

export function table(style: Style, head: readonly string[], rows: readonly string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  const line = (row: readonly string[], paint: (cell: string) => string) =>
    row
      .map((cell, column) => paint(cell) + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd();
  return [line(head, style.dim), ...rows.map((row) => line(row, (cell) => cell))].join("\n");
}

/** `label : value` lines with the colons under each other; rows without a value are left out. */
export function facts(style: Style, rows: readonly (readonly [string, string | undefined])[]) {
  const shown = rows.filter((row): row is readonly [string, string] => row[1] !== undefined);
  const widest = Math.max(0, ...shown.map(([label]) => width(label)));
  return shown
    .map(([label, value]) => `${style.dim(`${label.padEnd(widest)} :`)} ${value}`)
    .join("\n");
}

/** Cells on a terminal: East Asian wide characters and emoji take two. */
export function width(text: string): number {
  let cells = 0;
  for (const { segment } of SEGMENTS.segment(stripVTControlCharacters(text))) {
    cells +=
      /\p{Extended_Pictographic}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60]/u.test(
        segment,
      )
        ? 2
        : 1;
  }
  return cells;
}

const SEGMENTS = new Intl.Segmenter("en", { granularity: "grapheme" });
