/**
 * Where the journey plays: a folder, the command line tool as a person would run it, and the
 * programs that run beside it. Everything is started here, so that everything is ended here.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { EXIT } from "../exitCodes.ts";
import { type Style, styleFor } from "../screen/style.ts";
import type { World } from "../world.ts";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHER = join(CHECKOUT, "bin/upbeat.cjs");
/** `sun_path` of Linux' sockaddr_un holds 108 bytes, with its final zero. */
const MAX_SOCKET_PATH = 107;
const LONGEST_SOCKET = "run/upbeat/update-service.sock";
/** Longer than a service may take to finish what is short. */
const GRACE_MS = 20_000;

export interface Called {
  exitCode: number;
  /** What it printed on stdout. */
  text: string;
}

export interface Stage {
  readonly world: World;
  readonly style: Style;
  readonly folder: string;
  readonly deviceRoot: string;
  /** Environment of every command: where the device, the keys and the saved settings are. */
  readonly env: Record<string, string>;
  /** A new chapter. */
  chapter(title: string): void;
  say(sentence: string): void;
  /** Runs `upbeat …` with its progress on this terminal, and gives its exit code and its text. */
  upbeat(args: readonly string[]): Promise<Called>;
  /** The same with --json, parsed. Throws unless it ends with one of the codes. */
  ask<T>(schema: z.ZodType<T>, args: readonly string[], codes?: readonly number[]): Promise<T>;
  /** Starts `upbeat …` beside us; its stderr goes to NAME.log. Resolves with its first line. */
  startBeside(name: string, args: readonly string[]): Promise<string>;
  /** Ends what was started, last first, and removes what is not to be kept. */
  close(): Promise<void>;
}

/** A claim of the journey that turned out false: it ends there and then. */
export class JourneyFailed extends Error {}

export function mustBe(claim: string, isSo: boolean, found?: unknown): void {
  if (isSo) return;
  const seen = found === undefined ? "" : `; found ${JSON.stringify(found)}`;
  throw new JourneyFailed(`expected that ${claim}${seen}`);
}

export function openStage(world: World, keepIn: string | undefined): Stage {
  const style = styleFor(world.out, world.env);
  const folder = keepIn ?? freshFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fits = join(folder, "device", LONGEST_SOCKET).length <= MAX_SOCKET_PATH;
  const deviceRoot = fits ? join(folder, "device") : mkdtempSync(join(tmpdir(), "upbeat-device-"));
  const config = join(folder, "publisher");
  const running: ChildProcess[] = [];
  const env: Record<string, string> = {
    ...inherited(world.env),
    UPBEAT_ROOT: deviceRoot,
    XDG_CONFIG_HOME: config,
    XDG_CACHE_HOME: join(folder, "cache"),
    UPBEAT_PASSPHRASE: randomBytes(18).toString("base64url"),
  };
  let chapters = 0;

  async function upbeat(args: readonly string[]): Promise<Called> {
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      env,
      stdio: ["ignore", "pipe", world.err.isTerminal ? "inherit" : "pipe"],
      signal: world.interrupted,
    });
    child.stderr?.on("data", (chunk) => world.err.write(String(chunk)));
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
    });
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? EXIT.failed));
    });
    return { exitCode, text };
  }

  return {
    world,
    style,
    folder,
    deviceRoot,
    env,
    chapter: (title) => {
      chapters += 1;
      world.out.write(`\n${style.bold(`${chapters}  ${title}`)}\n`);
    },
    say: (sentence) => world.out.write(`${indent(sentence)}\n`),
    upbeat,
    ask: async (schema, args, codes = [EXIT.ok]) => {
      const { exitCode, text } = await upbeat([...args, "--json"]);
      const wanted = `\`upbeat ${args.join(" ")}\` ends with ${codes.join(" or ")}`;
      if (!codes.includes(exitCode))
        throw new JourneyFailed(`expected that ${wanted}; it ended with ${exitCode}: ${text}`);
      return schema.parse(JSON.parse(text));
    },
    startBeside: (name, args) => {
      const log = openSync(join(folder, `${name}.log`), "a", 0o600);
      const child = spawn(process.execPath, [LAUNCHER, ...args], {
        env,
        stdio: ["ignore", "pipe", log],
        // A group of its own: Ctrl-C is ours to pass on, in the right order.
        detached: true,
      });
      closeSync(log);
      running.push(child);
      return firstLine(child, `${name}, see ${join(folder, `${name}.log`)}`);
    },
    close: async () => {
      for (const child of running.reverse()) await end(child);
      if (keepIn === undefined) rmSync(folder, { recursive: true, force: true });
      if (!fits) rmSync(deviceRoot, { recursive: true, force: true });
    },
  };
}

function freshFolder(): string {
  const parent = join(CHECKOUT, ".upbeat");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "journey-"));
}

/** What a person happens to have set for a real Upbeat must not steer this one. */
function inherited(env: World["env"]): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith("UPBEAT_"));
  return Object.fromEntries(kept.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

function firstLine(child: ChildProcess, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new JourneyFailed(`expected that it goes on running: ${what}`));
    child.once("exit", gone);
    child.once("error", reject);
    if (child.stdout) createInterface({ input: child.stdout }).once("line", resolve);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await ended;
  clearTimeout(killer);
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "   ");
