/**
 * Installs a folder tree: `products/PRODUCT/versions/VERSION` side by side, and `current`, a symbolic
 * link that is switched by one rename. Files are links into the shared store (`contentStore.ts`).
 *
 * A version gets its name only when it is whole and on the disk, so a name is a promise.
 * Errors: UPB-TREE-*, UPB-VERIFY-*, UPB-INSTALL-DISK-FULL, UPB-INSTALL-SYNC, UPB-INSTALL-NOT-STAGED.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { requireSafeTree } from "../../../content/treeRules.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { formatUpdate, type Product, type Version } from "../../../protocol/ids.ts";
import type { TreeEntry } from "../../../protocol/payload.ts";
import { killPoint } from "../../killPoint.ts";
import { asDiskError, place, requireStored } from "../contentStore.ts";
import { flush, flushFileSystem, switchLink } from "../durable.ts";
import { breathe } from "../hashFile.ts";
import { isStopped } from "../interruption.ts";
import type { Handler } from "./handler.ts";

const STAGING = ".staging-";

export const storeFolder = (installed: string): string => join(installed, "store");
export const productsFolder = (installed: string): string => join(installed, "products");
export const versionFolder = (installed: string, product: Product, version: Version): string =>
  join(productsFolder(installed), product, "versions", version);

export function treeHandler(installed: string): Handler {
  const store = storeFolder(installed);
  const versions = (product: Product) => join(productsFolder(installed), product, "versions");
  const folderOf = (product: Product, version: Version) =>
    versionFolder(installed, product, version);
  const current = (product: Product) => join(productsFolder(installed), product, "current");
  const point = (product: Product, version: Version | undefined) => {
    const link = current(product);
    if (version !== undefined) switchLink(link, `versions/${version}`);
    else if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) {
      rmSync(link, { force: true });
      flush(dirname(link));
    }
  };

  return {
    async stage(manifest, payload, onProgress) {
      const { product, version } = manifest;
      requireSafeTree(payload, formatUpdate(manifest));
      const folder = folderOf(product, version);
      const staging = join(versions(product), `${STAGING}${version}`);
      mkdirSync(versions(product), { recursive: true, mode: 0o755 });
      await removeTree(staging);
      // What is left of an earlier try of this version: it does not run, or this would not be called.
      await removeTree(folder);
      try {
        mkdirSync(staging, { mode: 0o700 });
        killPoint("install:staging-made");
        await build(store, staging, payload, onProgress);
        chmodSync(staging, 0o755);
      } catch (error) {
        // Who came back waits for no removal either; the next try begins with it.
        if (isStopped(error)) throw error;
        await removeTree(staging);
        throw asDiskError(error, "UPB-INSTALL-DISK-FULL", staging);
      }
      killPoint("install:tree-made");
      await flushFileSystem(versions(product));
      killPoint("install:tree-synced");
      renameSync(staging, folder);
      flush(versions(product));
      flush(dirname(versions(product)));
      killPoint("install:tree-renamed");
    },
    activate(product, version) {
      const folder = folderOf(product, version);
      if (!existsSync(folder)) throw new UpbeatError("UPB-INSTALL-NOT-STAGED", { object: folder });
      point(product, version);
    },
    revert: point,
    async tidy(product, version) {
      await removeTree(join(versions(product), `${STAGING}${version}`));
      await removeTree(folderOf(product, version));
      killPoint("tidy:version-removed");
    },
    remove: (product) => removeTree(versions(product)),
    folderOf,
  };
}

/** Folders first with a mode that lets us write, their own mode last and deepest first. */
async function build(
  store: string,
  staging: string,
  payload: readonly TreeEntry[],
  onProgress: (bytes: number) => void,
): Promise<void> {
  const made = new Set<string>();
  // A parent comes before what is in it when the publisher lists it; if not, it gets the usual mode.
  const makeFolder = (path: string) => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true, mode: 0o755 });
    made.add(path);
  };
  const folders: { path: string; mode: number }[] = [];
  for (const entry of payload) {
    const path = join(staging, entry.path);
    makeFolder(dirname(path));
    if (entry.type === "folder") {
      makeFolder(path);
      folders.push({ path, mode: entry.mode });
    } else if (entry.type === "link") symlinkSync(entry.target, path);
    else {
      await requireStored(store, entry, onProgress);
      place(store, entry, path);
    }
    await breathe();
  }
  for (const { path, mode } of folders.reverse()) chmodSync(path, mode);
}

/** Folders without write permission would keep their content, even from their owner. */
export async function removeTree(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) openUp(path);
  await rm(path, { recursive: true, force: true });
}

function openUp(folder: string): void {
  if (process.getuid?.() === 0) return;
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openUp(join(folder, entry.name));
  }
}
