/**
 * Checks the version that runs against its list of files and mends what is damaged: from the store
 * if it has the content, from the server if not. The version stays installed all the while; each
 * entry changes in one step. Safe to repeat: what was mended is found whole.
 *
 * Errors: UPB-VERIFY-MISSING, UPB-FETCH-*, UPB-DOWNLOAD-*, UPB-INSTALL-DISK-FULL, UPB-INSTALL-SYNC.
 * What could be mended before the error is mended.
 */
import { distinctFiles } from "../../../core/actionList.ts";
import { type FileEntry, isFile, type TreeEntry } from "../../../protocol/payload.ts";
import type { Progress, VerifyReport } from "../../../protocol/updateServiceApi.ts";
import { killPoint } from "../../killPoint.ts";
import { adoptSibling, isStored, objectName } from "../contentStore.ts";
import { flushFileSystem } from "../durable.ts";
import { type Damage, inspectTree } from "./inspectTree.ts";
import { mendEntry } from "./mendTree.ts";

export interface VerifyWorld {
  readonly store: string;
  /** Where the version is. */
  readonly folder: string;
  readonly payload: readonly TreeEntry[];
  /** Brings content into the store that it has not got. */
  readonly bring: (files: readonly FileEntry[]) => Promise<void>;
  /** What an earlier, interrupted try had found. */
  readonly before: VerifyReport | undefined;
  readonly record: (report: VerifyReport) => void;
  readonly onPhase: (phase: Progress["phase"], totalBytes: number) => void;
  readonly onBytes: (bytes: number) => void;
}

const LISTED = 100;

export async function verifyInstalled(world: VerifyWorld): Promise<void> {
  const { store, folder, payload } = world;
  world.onPhase("inspect", bytesOf(payload));
  const { damaged, unknown } = await inspectTree(folder, payload, world.onBytes);
  let report = reportOf(payload, damaged, unknown.length, world.before);
  world.record(report);
  killPoint("verify:inspected");

  const mend = async (entries: readonly TreeEntry[], fetched: boolean): Promise<void> => {
    if (entries.length === 0) return;
    for (const entry of inOrder(entries)) {
      await mendEntry(store, folder, entry);
      killPoint("verify:entry-mended");
    }
    await flushFileSystem(folder);
    report = {
      ...report,
      mendedCount: report.mendedCount + entries.length,
      fetchedCount: report.fetchedCount + (fetched ? entries.length : 0),
    };
    world.record(report);
  };

  world.onPhase("mend", 0);
  const entries = damaged.map(({ entry }) => entry);
  const missing = await missingContent(store, entries);
  const names = new Set(missing.map(objectName));
  const waits = (entry: TreeEntry) => entry.type === "file" && names.has(objectName(entry));
  await mend(
    entries.filter((entry) => !waits(entry)),
    false,
  );
  if (missing.length > 0) {
    await world.bring(missing);
    await flushFileSystem(store);
    killPoint("verify:content-here");
    await mend(entries.filter(waits), true);
  }
  killPoint("verify:synced");
}

/** A damaged file is a link to a damaged object, or was one: what the store has is hashed too. */
async function missingContent(store: string, entries: readonly TreeEntry[]): Promise<FileEntry[]> {
  const missing: FileEntry[] = [];
  for (const file of distinctFiles(entries)) {
    if (await isStored(store, file, () => {})) continue;
    if (!(await adoptSibling(store, file))) missing.push(file);
  }
  return missing;
}

/** Folders last and deepest first: their own mode may forbid to write into them. */
const inOrder = (entries: readonly TreeEntry[]): TreeEntry[] => [
  ...entries.filter(({ type }) => type !== "folder"),
  ...entries.filter(({ type }) => type === "folder").toReversed(),
];

/** What was found before an interruption has been mended since, and counts all the same. */
function reportOf(
  payload: readonly TreeEntry[],
  damaged: readonly Damage[],
  unknownCount: number,
  before: VerifyReport | undefined,
): VerifyReport {
  const found = damaged.map(({ entry, what }) => ({ path: entry.path, what }));
  const known = new Set(found.map(({ path }) => path));
  const mended = (before?.damaged ?? []).filter(({ path }) => !known.has(path));
  const mendedBefore = Math.max(0, (before?.damagedCount ?? 0) - damaged.length);
  return {
    checkedFiles: payload.filter(isFile).length,
    checkedBytes: bytesOf(payload),
    damagedCount: damaged.length + mendedBefore,
    damaged: [...mended, ...found].slice(0, LISTED),
    mendedCount: mendedBefore,
    fetchedCount: before?.fetchedCount ?? 0,
    unknownCount,
  };
}

const bytesOf = (payload: readonly TreeEntry[]): number =>
  payload.filter(isFile).reduce((total, { sizeBytes }) => total + sizeBytes, 0);
