/**
 * One step from a list of files that is here to the next: fetches the patch, takes it over, applies
 * it in a thread, and keeps the list that it makes. Safe to repeat: what was fetched stays until the
 * list is kept, and what was made has its own hash for a name.
 *
 * Errors: UPB-DELTA-*, UPB-VERIFY-CONTENT, UPB-PAYLOAD-INVALID, UPB-TREE-*, UPB-FETCH-*, UPB-DOWNLOAD-*.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { requireSafeTree } from "../../../content/treeRules.ts";
import type { Step } from "../../../core/deliveryPlan.ts";
import type { Patch } from "../../../protocol/delivery.ts";
import { errorFromReport, UpbeatError } from "../../../protocol/errors/error.ts";
import { type TreeEntry, writePayload } from "../../../protocol/payload.ts";
import { killPoint } from "../../killPoint.ts";
import type { DownloadWorld } from "../download.ts";
import { flushFileSystem } from "../durable.ts";
import { storeFolder } from "../handlers/tree.ts";
import { requireContent, writeAll } from "../hashFile.ts";
import { stopSignal } from "../interruption.ts";
import type { PatchJob, PatchMessage } from "../patching/main.ts";
import { openUntrusted } from "../untrustedFile.ts";
import { bringObject } from "./bringObject.ts";

const MAIN = join(import.meta.dirname, `../patching/main${import.meta.filename.slice(-3)}`);

/** A small nursery: what is thrown away is buffers, and they go the sooner. */
const LIMITS = { maxYoungGenerationSizeMb: 1 };

export async function applyStep(
  world: DownloadWorld,
  { patch, to }: Step,
  old: readonly TreeEntry[],
): Promise<void> {
  const file = await takePatch(world, patch);
  killPoint("patch:here");
  // What applying takes of memory comes in its place.
  world.downloader.rest();
  const store = storeFolder(world.installed);
  world.onPhase("apply", patch.writeBytes);
  const job: PatchJob = { patch: file, store, old, writeBytes: patch.writeBytes };
  const { entries } = await inThread(job, world.onBytes);
  const { bytes, ref } = writePayload(entries);
  if (ref.sha256 !== to) {
    const detail = `expected the list ${to}, found ${ref.sha256}`;
    throw new UpbeatError("UPB-DELTA-WRONG-BASE", { object: patch.sha256, detail });
  }
  requireSafeTree(entries, to);
  killPoint("patch:applied");
  // The list says that its files are here: they must be on the disk before it.
  await flushFileSystem(store);
  killPoint("patch:synced");
  world.manifests.lists.keep(to, bytes);
  killPoint("patch:list-kept");
  rmSync(file, { force: true });
}

/** Into a file that nobody else can change: what is hashed is what is applied. */
async function takePatch(world: DownloadWorld, patch: Patch): Promise<string> {
  const file = join(world.patches, patch.sha256);
  if (existsSync(file)) {
    if (await isWhole(file, patch)) return file;
    rmSync(file);
  }
  mkdirSync(world.patches, { recursive: true, mode: 0o700 });
  await bringObject(world, patch, async (arrived) => {
    const beside = `${file}.new`;
    const { handle } = openUntrusted(arrived);
    try {
      rmSync(beside, { force: true });
      const to = openSync(beside, "wx", 0o600);
      try {
        await requireContent(handle, patch, (chunk) => writeAll(to, chunk));
      } finally {
        closeSync(to);
      }
      renameSync(beside, file);
    } finally {
      closeSync(handle);
    }
  });
  return file;
}

async function isWhole(file: string, patch: Patch): Promise<boolean> {
  const handle = openSync(file, "r");
  try {
    await requireContent(handle, patch, () => {});
    return true;
  } catch (error) {
    if (error instanceof UpbeatError) return false;
    throw error;
  } finally {
    closeSync(handle);
  }
}

function inThread(
  job: PatchJob,
  onBytes: (bytes: number) => void,
): Promise<{ entries: TreeEntry[]; made: number }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(MAIN, { workerData: job, resourceLimits: LIMITS });
    const signal = stopSignal();
    signal?.throwIfAborted();
    const stop = () => end(() => reject(signal?.reason));
    const end = (settle: () => void) => {
      settle();
      signal?.removeEventListener("abort", stop);
      void worker.terminate();
    };
    signal?.addEventListener("abort", stop, { once: true });
    worker.on("message", (message: PatchMessage) => {
      if (message.kind === "written") onBytes(message.bytes);
      else if (message.kind === "done") end(() => resolve(message));
      else end(() => reject(errorFromReport(message.error)));
    });
    worker.on("error", reject);
    worker.on("exit", (code) =>
      reject(
        new UpbeatError("UPB-INTERNAL-BUG", { object: MAIN, detail: `it ended with ${code}` }),
      ),
    );
  });
}
