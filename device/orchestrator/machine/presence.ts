/**
 * Whether a person is at this machine: who is logged in (utmp(5)) and when somebody last typed. The
 * kernel sets the access time of a terminal at each input from it, which is what w(1) shows as idle;
 * graphical sessions tell logind, which keeps a file each in /run/systemd/sessions.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Presence {
  /** Sessions of people, not of services. */
  readonly sessions: number;
  /** Milliseconds since 1970; absent when nobody is logged in or no session says. */
  readonly lastInputMs?: number;
}

/** `struct utmp` on every 64-bit Linux: type at 0, line at 8, user at 44. */
const RECORD_BYTES = 384;
const USER_PROCESS = 7;
const MAX_BYTES = 4 * 1024 * 1024;

/** The terminals on which people are logged in. */
export const terminalsInUse = (root: string): string[] =>
  terminalLines(root).map((line) => join(root, "dev", line));

export function readPresence(root: string): Presence {
  const terminals = terminalsInUse(root).map(accessMs);
  const graphical = graphicalSessions(root);
  const inputs = [...terminals, ...graphical].filter((ms) => ms !== undefined);
  return {
    sessions: terminals.length + graphical.length,
    ...(inputs.length === 0 ? {} : { lastInputMs: Math.floor(Math.max(...inputs)) }),
  };
}

function terminalLines(root: string): string[] {
  const bytes = readBytes(join(root, "run/utmp"));
  const found: string[] = [];
  for (let at = 0; at + RECORD_BYTES <= Math.min(bytes.length, MAX_BYTES); at += RECORD_BYTES) {
    if (bytes.readInt16LE(at) !== USER_PROCESS) continue;
    const line = textAt(bytes, at + 8, 32);
    // `:0` is a display, counted below; anything with `..` is no terminal.
    if (!/^[a-z0-9]+(?:\/\d+)?$/i.test(line)) continue;
    found.push(line);
  }
  return found;
}

function graphicalSessions(root: string): (number | undefined)[] {
  const folder = join(root, "run/systemd/sessions");
  return namesIn(folder).flatMap((name) => {
    const text = readBytes(join(folder, name)).toString("utf8");
    const value = (key: string): string =>
      new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
    const isGraphical = ["x11", "wayland", "mir"].includes(value("TYPE"));
    if (value("CLASS") !== "user" || !isGraphical || value("ACTIVE") !== "1") return [];
    // Without a hint the session counts as used now: rather wait than take a screen away.
    if (value("IDLE_HINT") !== "1") return [Date.now()];
    return [Math.floor(Number(value("IDLE_HINT_REALTIME")) / 1_000)];
  });
}

const textAt = (bytes: Buffer, from: number, length: number): string =>
  bytes
    .subarray(from, from + length)
    .toString("latin1")
    .replace(/\0.*$/s, "");

function accessMs(path: string): number | undefined {
  try {
    return statSync(path).atimeMs;
  } catch {
    return undefined; // Its terminal is gone; the record is stale.
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^[A-Za-z0-9]+$/.test(name));
  } catch {
    return [];
  }
}
