/**
 * `tag.NAME`: what the administrator calls this machine, one name a line in `etc/upbeat/tags`.
 * Anything after `#` is a remark.
 */
import { readFileSync } from "node:fs";
import type { Facts } from "../../../protocol/deviceApi.ts";

const MAX_BYTES = 64 * 1024;
const MAX_TAGS = 100;
const TAG = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Throws when a line is no tag: half of a list would be another list. */
export function tagFacts(file: string): Facts {
  const names = readLines(file);
  const wrong = names.find((name) => !TAG.test(name));
  if (wrong !== undefined) {
    throw new Error(`"${wrong.slice(0, 80)}" is no tag: lower-case letters, digits, . _ -`);
  }
  if (names.length > MAX_TAGS) throw new Error(`there are more than ${MAX_TAGS} tags`);
  return Object.fromEntries(names.map((name) => [`tag.${name}`, true]));
}

function readLines(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
  if (text.length > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
  return text.split("\n").flatMap((line) => {
    const name = line.replace(/#.*$/, "").trim();
    return name === "" ? [] : [name];
  });
}
