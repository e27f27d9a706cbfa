/**
 * `custom.NAME`: facts of the administrator's own, from `etc/upbeat/facts.d`. Each file there is a
 * source of its own: an executable prints one JSON object of names and values, a `.json` file holds
 * one. The prefix is ours, so that no such file can say what the operating system is.
 *
 * Folder and files must belong to root and be writable by nobody else, because what they say
 * decides about updates. They run with the orchestrator's rights, which are few.
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import type { Facts } from "../../../protocol/deviceApi.ts";
import { runLimited, whyUnsafe } from "../../limitedProgram.ts";

const MAX_FILES = 64;
const LIMITS = {
  timeoutMs: 10_000,
  maxOutputBytes: 64 * 1024,
  maxMemoryBytes: 256 * 1024 * 1024,
};

const CustomFacts = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "a name is letters, digits, . _ -"),
  z.union([z.string().max(4_000), z.number(), z.boolean()]),
);

/** The files of the folder; editors' and packages' left-overs are none. Throws when it is unsafe. */
export function customSources(folder: string): string[] {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  const unsafe = whyUnsafe(folder, "folder");
  if (unsafe !== undefined) throw new Error(`${folder} is not used: ${unsafe}`);
  const names = readdirSync(folder)
    .filter((name) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    .filter((name) => !/\.(?:dpkg-\w+|bak|orig)$/.test(name));
  if (names.length > MAX_FILES) throw new Error(`${folder} holds more than ${MAX_FILES} files`);
  return names.toSorted().map((name) => join(folder, name));
}

/** Throws with the reason when this one source fails. */
export async function customFacts(file: string): Promise<Facts> {
  const unsafe = whyUnsafe(file, "file");
  if (unsafe !== undefined) throw new Error(`${file} is not used: ${unsafe}`);
  const found = CustomFacts.parse(JSON.parse(await textOf(file)));
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [`custom.${name}`, value]),
  );
}

async function textOf(file: string): Promise<string> {
  if (basename(file).endsWith(".json")) {
    if (lstatSync(file).size > LIMITS.maxOutputBytes) {
      throw new Error(`it is longer than ${LIMITS.maxOutputBytes} bytes`);
    }
    return readFileSync(file, "utf8");
  }
  const end = await runLimited({ file, args: [], folder: "/", ...LIMITS });
  if (end.ok) return end.output;
  throw new Error(end.because);
}
