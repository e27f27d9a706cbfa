/** What the kernel says about disks and memory (row 35). */
import { closeSync, constants, openSync, readSync } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { uptime } from "node:os";
import { basename } from "node:path";
import { z } from "zod";
import { check, type Seen } from "../check.ts";
import { nearestMount } from "../probes/mounts.ts";
import { listServices } from "../services.ts";

const Line = z.object({ atMs: z.number(), text: z.string() });

const Facts = z.object({
  /** Block devices that hold our folders, e.g. `sda1`. */
  devices: z.array(z.string()),
  disk: z.array(Line.extend({ device: z.string() })),
  killed: z.array(Line.extend({ pid: z.int() })),
  /** Services that were killed, and when. */
  ended: z.array(z.object({ name: z.string(), atMs: z.number() })),
});

/** The log goes back to the start of the machine; what is older than this was dealt with. */
const RECENT_MS = 7 * 24 * 60 * 60_000;
/** The manager notices at once; the kernel's clock and ours differ a little. */
const SAME_MOMENT_MS = 10_000;
const MAX_LINES = 50;

export const kernelLog = check({
  id: "kernel-log",
  title: "Disk errors and memory",
  rows: [35],
  facts: Facts,
  async look({ paths, nowMs }) {
    const lines = readKernelLog(nowMs).filter(({ atMs }) => nowMs - atMs < RECENT_MS);
    const mounts = await Promise.all(
      [paths.updateServiceState, paths.installed, paths.logs].map(nearestMount),
    );
    const services = await listServices(paths).catch(() => []);
    return {
      devices: [...new Set(await Promise.all(mounts.map(({ device }) => blockName(device))))],
      disk: lines.flatMap(diskError).slice(-MAX_LINES),
      killed: lines.flatMap(outOfMemory).slice(-MAX_LINES),
      ended: services.flatMap(({ name, lastExit }) =>
        lastExit?.signal === "SIGKILL" ? [{ name, atMs: lastExit.atMs }] : [],
      ),
    };
  },
  judge({ devices, disk, killed, ended }): Seen[] {
    const seen: Seen[] = [];
    for (const device of new Set(disk.map((it) => it.device))) {
      // `sda` holds `sda1`, `nvme0n1` holds `nvme0n1p2`.
      if (
        !devices.some(
          (ours) =>
            ours === device ||
            (/^p?\d+$/.test(ours.slice(device.length)) && ours.startsWith(device)),
        )
      )
        continue;
      const lines = disk.filter((it) => it.device === device);
      const evidence = [`${lines.length} errors in the kernel's log`, ...newest(lines)];
      seen.push({ cause: "disk-failing", object: device, evidence });
    }
    for (const { name, atMs } of ended) {
      const lines = killed.filter((it) => Math.abs(it.atMs - atMs) < SAME_MOMENT_MS);
      if (lines.length === 0) continue;
      seen.push({ cause: "out-of-memory", object: name, service: name, evidence: newest(lines) });
    }
    return seen;
  },
});

const newest = (lines: readonly z.infer<typeof Line>[]): string[] =>
  lines.slice(-3).map(({ atMs, text }) => `${new Date(atMs).toISOString()} ${text.slice(0, 200)}`);

function diskError(line: z.infer<typeof Line>): (z.infer<typeof Line> & { device: string })[] {
  const device =
    /(?:I\/O|medium|target) error(?: on|,) dev (\w+)/.exec(line.text)?.[1] ??
    /^(?:EXT4-fs|BTRFS|F2FS-fs) (?:error|critical).*\(device (\w+)/.exec(line.text)?.[1] ??
    /^XFS \((\w+)\): .*(?:[Cc]orruption|error)/.exec(line.text)?.[1];
  return device === undefined ? [] : [{ ...line, device }];
}

function outOfMemory(line: z.infer<typeof Line>): (z.infer<typeof Line> & { pid: number })[] {
  const pid = /[Oo]ut of memory: Killed process (\d+)/.exec(line.text)?.[1];
  return pid === undefined ? [] : [{ ...line, pid: Number(pid) }];
}

/**
 * The kernel's own lines (Documentation/ABI/testing/dev-kmsg): `priority,sequence,microseconds,flags;
 * text`. Others may write there too; their facility is not 0. Empty when it may not be read.
 */
function readKernelLog(nowMs: number): z.infer<typeof Line>[] {
  const lines: z.infer<typeof Line>[] = [];
  const bootMs = nowMs - uptime() * 1000;
  let file: number;
  try {
    file = openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return [];
  }
  const buffer = Buffer.alloc(8_192); // CONSOLE_EXT_LOG_MAX
  try {
    for (;;) {
      const read = readOne(file, buffer);
      if (read === "end") return lines;
      if (read === "overwritten") continue;
      const [prefix = "", ...rest] =
        buffer.toString("utf8", 0, read).split("\n")[0]?.split(";") ?? [];
      const [priority = "", , microseconds = ""] = prefix.split(",");
      if (Number(priority) >> 3 !== 0) continue;
      lines.push({ atMs: bootMs + Number(microseconds) / 1000, text: rest.join(";") });
    }
  } finally {
    closeSync(file);
  }
}

/** EPIPE: that record was overwritten meanwhile, the next read goes on with the oldest there is. */
function readOne(file: number, buffer: Buffer): number | "end" | "overwritten" {
  try {
    const read = readSync(file, buffer);
    return read === 0 ? "end" : read;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EPIPE" ? "overwritten" : "end";
  }
}

/** `/dev/mapper/x` is a link to `dm-0`; loop devices and partitions are named as the kernel does. */
async function blockName(device: string): Promise<string> {
  if (device === "/dev/root") {
    const line = await readFile("/proc/cmdline", "utf8").catch(() => "");
    return basename(/root=(\S+)/.exec(line)?.[1] ?? device);
  }
  return basename(await realpath(device).catch(() => device));
}
