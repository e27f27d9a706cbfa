/** Colours and marks; both fall back to plain ASCII text. */
import pc from "picocolors";
import type { Screen, World } from "../world.ts";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  accent(text: string): string;
  readonly marks: typeof UNICODE_MARKS;
}

const UNICODE_MARKS = { done: "✔", failed: "✘", warn: "!", arrow: "→", full: "█", empty: "░" };
const ASCII_MARKS = { done: "+", failed: "x", warn: "!", arrow: "->", full: "#", empty: "." };

export function styleFor(screen: Screen, env: World["env"]): Style {
  const colours = pc.createColors(screen.colours);
  return {
    bold: colours.bold,
    dim: colours.dim,
    good: colours.green,
    warn: colours.yellow,
    bad: colours.red,
    accent: colours.cyan,
    // Only the Linux console's own font lacks these characters.
    marks: env.TERM === "linux" ? ASCII_MARKS : UNICODE_MARKS,
  };
}
