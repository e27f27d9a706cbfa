/** `os.*` and `kernel.*`: os-release(5), the architecture and the running kernel. */
import { readFileSync } from "node:fs";
import { arch, release, type } from "node:os";
import { join } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";

const MAX_BYTES = 64 * 1024;
/** os-release name -> fact. Only what rules may need; the file may hold anything. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["ID", "os.id"],
  ["VERSION_ID", "os.version"],
  ["VERSION_CODENAME", "os.codename"],
  ["PRETTY_NAME", "os.title"],
]);

export function operatingSystemFacts(root: string): Facts {
  return {
    "os.architecture": arch(),
    "kernel.name": type(),
    "kernel.version": release(),
    ...osRelease(root),
  };
}

function osRelease(root: string): Facts {
  // A root folder of its own (a test, a container) may have none: then it is this machine's.
  for (const path of [join(root, "etc/os-release"), "/etc/os-release", "/usr/lib/os-release"]) {
    try {
      return parseOsRelease(readFileSync(path, "utf8").slice(0, MAX_BYTES));
    } catch {
      // The next place; a machine without the file simply lacks these facts.
    }
  }
  return {};
}

export function parseOsRelease(text: string): Facts {
  const facts: Facts = {};
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
    const fact = NAMES.get(name);
    if (fact !== undefined) facts[fact] = unquoted(value).slice(0, 200);
  }
  return facts;
}

const unquoted = (value: string): string =>
  /^(["']).*\1$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1") : value;
