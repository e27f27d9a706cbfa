/**
 * Opens the journal, and when its file is damaged makes a new one from what is on disk.
 *
 * The damaged file is moved aside, never deleted. History comes back from `history.jsonl`, which is
 * appended to and flushed with every entry, and from whatever the damaged file still gives.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
} from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product, type Sha256, Version } from "../../protocol/ids.ts";
import { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { FLUSHES, flush } from "./durable.ts";
import { type Journal, openJournal, type ProductRow } from "./journal.ts";

export interface StateFiles {
  readonly folder: string;
  readonly products: string;
  /** The manifest kept for an installed version, if there is one. */
  readonly manifestOf: (product: Product, version: Version) => Sha256 | undefined;
  readonly installedProducts: () => readonly string[];
}

/** `rebuilt`: where the damaged file went. Errors: UPB-STATE-UNWRITABLE. */
export function openState(
  files: StateFiles,
  nowMs: number,
): { journal: Journal; rebuilt?: string } {
  const file = join(files.folder, "state.db");
  try {
    return { journal: openJournal(file) };
  } catch (cause) {
    if (!isDamage(cause)) throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: file, cause });
    return rebuild(files, file, nowMs);
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html), and rows that no schema takes. */
function isDamage(error: unknown): boolean {
  if (error instanceof UpbeatError) return error.code === "UPB-STATE-DAMAGED";
  return (
    error instanceof Error && "errcode" in error && (error.errcode === 11 || error.errcode === 26)
  );
}

function rebuild(
  files: StateFiles,
  file: string,
  nowMs: number,
): { journal: Journal; rebuilt: string } {
  const aside = `${file}.corrupt-${new Date(nowMs).toISOString().replaceAll(":", "")}`;
  const rescued = readDamaged(file);
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  const journal = openJournal(file);
  const entries = new Map(
    [...rescued, ...readBackup(files.folder)].map((entry) => [entry.id, entry]),
  );
  journal.atomically(() => {
    for (const entry of entries.values()) journal.addHistory(entry);
    for (const name of files.installedProducts()) restoreProduct(journal, files, name, nowMs);
  });
  return { journal, rebuilt: aside };
}

/** The link on disk is the truth about what runs. */
function restoreProduct(journal: Journal, files: StateFiles, name: string, nowMs: number): void {
  const product = Product.safeParse(name);
  if (!product.success) return;
  const current = linkedVersion(join(files.products, name, "current"));
  if (current === undefined) return;
  const manifestSha256 = files.manifestOf(product.data, current);
  const row: ProductRow = {
    product: product.data,
    current,
    ...(manifestSha256 && { currentSha256: manifestSha256 }),
  };
  journal.setProduct(row);
  if (manifestSha256 === undefined) return;
  const update = { product: product.data, version: current, manifestSha256 };
  const facts = { nowMs, jobId: crypto.randomUUID() };
  for (const event of ["download", "downloaded", "install", "switched", "healthy"] as const)
    journal.move(update, event, facts);
}

export function linkedVersion(link: string): Version | undefined {
  try {
    return Version.safeParse(basename(readlinkSync(link))).data;
  } catch {
    return undefined; // not installed
  }
}

function readDamaged(file: string): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  try {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      for (const row of db.prepare("SELECT entry FROM history").iterate()) {
        entries.push(HistoryEntry.parse(JSON.parse(String(row.entry))));
      }
    } finally {
      db.close();
    }
  } catch {
    // What could be read before the damage is what there is; the backup holds the rest.
  }
  return entries;
}

const backupFile = (folder: string): string => join(folder, "history.jsonl");

/** Written after the journal has the entry: a cut between the two is mended at the next start. */
export function backUpHistory(folder: string, entry: HistoryEntry): void {
  const file = openSync(backupFile(folder), "a", 0o600);
  try {
    appendFileSync(file, `${JSON.stringify(entry)}\n`);
    if (FLUSHES) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  flush(folder);
}

export function readBackup(folder: string): HistoryEntry[] {
  if (!existsSync(backupFile(folder))) return [];
  return readFileSync(backupFile(folder), "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [HistoryEntry.parse(JSON.parse(line))];
      } catch {
        return []; // the last line of a cut append, or an empty one
      }
    });
}
