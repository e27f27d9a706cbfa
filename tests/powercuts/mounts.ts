/**
 * Real ext4 on loop devices: one on a disk of ours that records, and one after the other on images
 * of crash states. Only touches loop devices, mounts and processes that it made itself.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import type { DiskAnswer, DiskOrder, LogEntry } from "./diskLog.ts";

const COMMAND_TIMEOUT_MS = 30_000;
/** Debian keeps them where an ordinary user's PATH does not look. */
const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const NEEDED = ["nbdfuse", "fusermount3", "mkfs.ext4", "mount", "umount", "losetup"];

/** Why this machine cannot do it, or undefined. */
export function whyImpossible(): string | undefined {
  if (process.getuid?.() !== 0) return "mounting needs root";
  const folders = (ENV.PATH ?? "").split(":");
  const missing = NEEDED.filter(
    (name) => !folders.some((folder) => existsSync(join(folder, name))),
  );
  if (missing.length > 0)
    return `missing: ${missing.join(", ")} (Debian: libnbd-bin fuse3 e2fsprogs mount)`;
  if (!existsSync("/dev/fuse")) return "there is no /dev/fuse";
  const loop = spawnSync("losetup", ["--find"], { env: ENV, timeout: COMMAND_TIMEOUT_MS });
  return loop.status === 0 ? undefined : `no loop device: ${loop.stderr}`.trim();
}

/** What to undo, newest first; also when the test fails or is interrupted. */
const undo: (() => void)[] = [];

export function undoAll(): void {
  while (undo.length > 0) undo.pop()?.();
}

export interface RecordedDisk {
  readonly mountPoint: string;
  mark(name: string): Promise<void>;
  /** Unmounts. `base` is the disk before the first entry of the log. */
  finish(): Promise<{ base: Uint8Array; log: readonly LogEntry[] }>;
}

/** An empty ext4 in `folder`, mounted, whose every write and flush is recorded. */
export async function recordedDisk(folder: string, sizeBytes: number): Promise<RecordedDisk> {
  const imagePath = join(folder, "disk.img");
  writeFileSync(imagePath, new Uint8Array(sizeBytes));
  await command("mkfs.ext4", [
    ...["-q", "-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"],
    imagePath,
  ]);
  const base = readFileSync(imagePath);

  const socketPath = join(folder, "disk.sock");
  const worker = new Worker(new URL("./diskThread.ts", import.meta.url), {
    workerData: { imagePath, socketPath },
  });
  undo.push(() => void worker.terminate());
  await answerOf(worker, "listening");

  const fuseFolder = mkdir(join(folder, "fuse"));
  const file = join(fuseFolder, "disk");
  const fuse = spawn("nbdfuse", [file, `nbd+unix:///?socket=${socketPath}`], {
    env: ENV,
    stdio: "ignore",
  });
  undo.push(() => {
    sync("fusermount3", ["-u", "-q", "-z", fuseFolder]);
    fuse.kill("SIGKILL");
  });
  await until(() => existsSync(file), "nbdfuse does not show the disk");
  const device = (await command("losetup", ["--find", "--show", file])).trim();
  undo.push(() => sync("losetup", ["--detach", device]));
  const mountPoint = mkdir(join(folder, "mounted"));
  // commit=1: what ext4 writes by itself comes after one second instead of five.
  await command("mount", ["-o", "commit=1,noatime", device, mountPoint]);
  undo.push(() => unmount(mountPoint));

  return {
    mountPoint,
    mark: async (name) => {
      const answered = answerOf(worker, "marked");
      worker.postMessage({ kind: "mark", name } satisfies DiskOrder);
      await answered;
    },
    finish: async () => {
      const answered = answerOf(worker, "ended");
      worker.postMessage({ kind: "end" } satisfies DiskOrder);
      const { log } = await answered;
      undoAll();
      return { base, log };
    },
  };
}

/** Mounts the image (ext4 replays its journal), does `work`, unmounts. */
export async function withMounted<T>(
  imagePath: string,
  mountPoint: string,
  work: () => Promise<T>,
): Promise<T> {
  await command("mount", ["-o", "loop,noatime", imagePath, mountPoint]);
  const undoThis = () => unmount(mountPoint);
  undo.push(undoThis);
  try {
    return await work();
  } finally {
    undo.splice(undo.indexOf(undoThis), 1);
    undoThis();
  }
}

/** `mount -o loop` made the loop device, and it goes with the mount. */
function unmount(mountPoint: string): void {
  if (sync("umount", [mountPoint])) return;
  for (let i = 0; i < 20; i++) {
    // A process that was just killed may still hold a file for a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    if (sync("umount", [mountPoint])) return;
  }
  sync("umount", ["--lazy", mountPoint]);
}

function sync(program: string, args: string[]): boolean {
  const { status } = spawnSync(program, args, {
    env: ENV,
    stdio: "ignore",
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return status === 0;
}

async function command(program: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    env: ENV,
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  return stdout;
}

function mkdir(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (const deadline = Date.now() + COMMAND_TIMEOUT_MS; !holds(); await sleep(20)) {
    if (Date.now() > deadline) throw new Error(otherwise);
  }
}

function answerOf<K extends DiskAnswer["kind"]>(
  worker: Worker,
  kind: K,
): Promise<Extract<DiskAnswer, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the disk does not answer "${kind}"`));
    }, COMMAND_TIMEOUT_MS);
    const onMessage = (answer: DiskAnswer) => {
      if (answer.kind !== kind) return;
      clearTimeout(timer);
      worker.off("message", onMessage).off("error", reject);
      resolve(answer as Extract<DiskAnswer, { kind: K }>);
    };
    worker.on("message", onMessage).once("error", reject);
  });
}
