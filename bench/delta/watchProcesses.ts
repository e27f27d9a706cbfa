/**
 * What a process and its children take while something is done: CPU time by the kernel's count
 * (clock ticks of 10 ms), the peak of memory of all of them together, looked at every few ms.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Cost } from "./measuredCommand.ts";

const LOOK_EVERY_MS = 5;
const MS_PER_TICK = 10;

export function watchProcesses(pid: number): { look(): void; end(): Cost } {
  const startMs = performance.now();
  // The peak counts from now on (proc(5), clear_refs).
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const before = cpuMs(pid);
  const childrenMs = new Map<number, number>();
  let peakBytes = 0;
  const look = () => {
    const children = childrenOf(pid);
    for (const child of children) childrenMs.set(child, cpuMs(child).own);
    const bytes = [pid, ...children].reduce((sum, each) => sum + peakOf(each), 0);
    peakBytes = Math.max(peakBytes, bytes);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    look,
    end() {
      clearInterval(timer);
      const after = cpuMs(pid);
      // What children took is counted when they have ended; of those that still run, by looking.
      const running = childrenOf(pid).reduce((sum, each) => sum + (childrenMs.get(each) ?? 0), 0);
      return {
        wallMs: performance.now() - startMs,
        cpuMs: after.own - before.own + after.ended - before.ended + running,
        peakBytes,
      };
    },
  };
}

function cpuMs(pid: number): { own: number; ended: number } {
  // proc(5): fields 14 to 17 after the name in parentheses are utime, stime, cutime, cstime.
  const fields = fileOf(pid, "stat").split(") ")[1]?.split(" ").map(Number) ?? [];
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
  return { own: (user + system) * MS_PER_TICK, ended: (endedUser + endedSystem) * MS_PER_TICK };
}

function childrenOf(pid: number): number[] {
  return fileOf(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
}

function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(fileOf(pid, "status"))?.[1] ?? 0) * 1_024;
}

/** Empty when the process has just ended. */
function fileOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
