/** Runs a program of others and says what it took; GNU time (Debian's package `time`) counts. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of its largest process. */
  readonly peakBytes: number;
}

/** A suffix sort of 200 MB on a busy machine. */
const TIMEOUT_MS = 45 * 60_000;
const MAX_OUTPUT_BYTES = 16 * 2 ** 20;

/** Errors: when it does not end with 0, with what it said. */
export async function measured(
  program: string,
  args: readonly string[],
  cwd = process.cwd(),
): Promise<Cost & { readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-cost-"));
  try {
    const report = join(folder, "cost");
    const counted = ["-o", report, "-f", "%e %U %S %M", program, ...args];
    const { stdout } = await promisify(execFile)("time", counted, {
      cwd,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    const numbers = readFileSync(report, "utf8").trim().split(/\s+/).map(Number);
    const [wall = 0, user = 0, system = 0, kilobytes = 0] = numbers;
    return {
      wallMs: wall * 1_000,
      cpuMs: Math.round((user + system) * 1_000),
      peakBytes: kilobytes * 1_024,
      output: stdout,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function together(costs: readonly Cost[]): Cost {
  const sum = (of: "wallMs" | "cpuMs") => costs.reduce((total, cost) => total + cost[of], 0);
  return {
    wallMs: sum("wallMs"),
    cpuMs: sum("cpuMs"),
    peakBytes: Math.max(0, ...costs.map((cost) => cost.peakBytes)),
  };
}
