/**
 * Runs the troubleshooter in a process of its own and follows it. It works when no service does, and
 * has always ended after a minute: what hangs beyond all its limits (a disk, a mount) is stopped from
 * here, and what did not answer is named.
 */
import { spawn } from "node:child_process";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CheckOutcome, Diagnosis, Finding } from "../../protocol/troubleshooting/diagnosis.ts";
import { CHECKS } from "./checks/index.ts";
import { judge, together } from "./diagnose.ts";
import { Line, type Looked } from "./lines.ts";

/** A little less than the minute that is promised. */
const LIMIT_MS = 58_000;

export interface Listener {
  readonly onLooked?: (looked: Looked) => void;
  readonly onCheck?: (outcome: CheckOutcome) => void;
  readonly onRepair?: (finding: Finding, what: string) => void;
  readonly onFinalCheck?: () => void;
}

export interface RunInput {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Repair what can be repaired; only for an account that may. */
  readonly repair: boolean;
  readonly listener?: Listener;
  readonly limitMs?: number;
  /** Whoever asked does not wait any more. */
  readonly signal?: AbortSignal;
}

export async function runTroubleshooter(input: RunInput): Promise<Diagnosis> {
  const { root, env, repair, listener = {}, limitMs = LIMIT_MS, signal } = input;
  const startedMs = performance.now();
  const child = spawn(process.execPath, [program(), "--root", root, ...(repair ? ["--fix"] : [])], {
    env: { ...env },
    stdio: ["ignore", "pipe", "ignore"],
    ...(signal && { signal }),
  });
  const heard: Heard = { begun: [], looked: [] };
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    const line = parsed(text);
    if (line !== undefined) hear(line, heard, listener);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    // Lines that are still in the pipe come before its end.
    child.once("close", (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it did not answer within ${limitMs / 1_000} s`), limitMs);
  });
  const because = await Promise.race([ended, late]);
  clearTimeout(timer);
  if (heard.done !== undefined) return heard.done;
  // It may be in a call that not even SIGKILL ends: nothing here waits for it.
  child.kill("SIGKILL");
  child.unref();
  child.stdout.destroy();
  return cutOff(heard, because, performance.now() - startedMs);
}

interface Heard {
  readonly begun: string[];
  readonly looked: Looked[];
  last?: Diagnosis;
  repairing?: { readonly finding: Finding; readonly what: string };
  done?: Diagnosis;
}

function hear(line: Line, heard: Heard, listener: Listener): void {
  switch (line.is) {
    case "begun":
      heard.begun.push(line.check);
      return;
    case "looked":
      heard.looked.push(line.looked);
      listener.onLooked?.(line.looked);
      for (const outcome of judge(line.looked).checks) listener.onCheck?.(outcome);
      return;
    case "diagnosed":
      heard.last = line.diagnosis;
      delete heard.repairing;
      return;
    case "repair":
      heard.repairing = line;
      listener.onRepair?.(line.finding, line.what);
      return;
    case "final-check":
      listener.onFinalCheck?.();
      return;
    case "done":
      heard.done = line.diagnosis;
      return;
  }
}

/** Judged from what came; the rest is named as what it is. */
function cutOff(heard: Heard, because: string, tookMs: number): Diagnosis {
  const { last, repairing } = heard;
  if (last !== undefined) {
    const findings = last.findings.map((finding) =>
      finding.cause === repairing?.finding.cause && finding.object === repairing.finding.object
        ? { ...finding, repair: stopped(repairing.what, because) }
        : finding,
    );
    return { ...last, findings, tookMs };
  }
  const { atMs, facts, failures, tookMs: took } = together(heard.looked);
  for (const { id } of CHECKS) {
    if (id in facts || id in failures) continue;
    failures[id] = heard.begun.includes(id) ? because : "it was not begun before the end";
  }
  return { ...judge({ atMs, facts, failures, tookMs: took }), tookMs };
}

const stopped = (what: string, because: string) => ({
  state: "did-not-help" as const,
  changed: [`${what}: ${because} and was stopped`],
  proof: "It was not looked at again.",
});

function parsed(text: string): Line | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // cut off by its end
  }
}

function program(): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, `../main${extname(here)}`);
}
