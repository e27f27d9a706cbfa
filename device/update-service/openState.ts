/**
 * Opens the journal, and when its file is damaged makes a new one from what is on disk.
 *
 * The damaged file is moved aside, never deleted. History comes back from `history.jsonl`
 * (`historyBackup.ts`) and from whatever the damaged file still gives; what is installed comes from
 * the links, and what can be rolled back to from the history and the folders.
 */
import { existsSync, readlinkSync, renameSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ZodError } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product, type Sha256, Version } from "../../protocol/ids.ts";
import { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { flush } from "./durable.ts";
import { completeBackup, readBackup } from "./historyBackup.ts";
import { type Journal, openJournal, type ProductRow } from "./journal.ts";
import { ROLLBACK_WINDOW_MS } from "./operations.ts";

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
  const opened = openOrRebuild(files, file, nowMs);
  try {
    completeBackup(files.folder, opened.journal.history());
  } catch (cause) {
    opened.journal.close();
    throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: files.folder, cause });
  }
  return opened;
}

function openOrRebuild(files: StateFiles, file: string, nowMs: number) {
  try {
    // SQLite takes an empty file for a new database: what was in it would be forgotten in silence.
    if (isEmpty(file) && readBackup(files.folder).length > 0) return rebuild(files, file, nowMs);
    return { journal: openReadable(file) };
  } catch (cause) {
    if (!isDamage(cause)) throw new UpbeatError("UPB-STATE-UNWRITABLE", { object: file, cause });
    return rebuild(files, file, nowMs);
  }
}

const isEmpty = (file: string): boolean =>
  (statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0;

/** Sound pages may still hold rows that nobody wrote. */
function openReadable(file: string): Journal {
  const journal = openJournal(file);
  try {
    journal.records();
    journal.products();
    journal.operation();
    journal.awaitingRestart();
    journal.history();
    return journal;
  } catch (error) {
    journal.close();
    throw error;
  }
}

/**
 * SQLITE_CORRUPT, _NOTADB, and _ERROR for tables that are not ours
 * (https://sqlite.org/rescode.html), without the extension.
 */
const DAMAGE_CODES: ReadonlySet<number> = new Set([11, 26, 1]);

function isDamage(error: unknown): boolean {
  if (error instanceof UpbeatError) return error.code === "UPB-STATE-DAMAGED";
  if (error instanceof ZodError || error instanceof SyntaxError) return true;
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number"))
    return false;
  return DAMAGE_CODES.has(error.errcode & 0xff);
}

function rebuild(
  files: StateFiles,
  file: string,
  nowMs: number,
): { journal: Journal; rebuilt: string } {
  const aside = `${file}.corrupt-${new Date(nowMs).toISOString().replaceAll(":", "")}`;
  const entries = new Map(
    [...readDamaged(file), ...readBackup(files.folder)].map((entry) => [entry.id, entry]),
  );
  // The file itself last: until it is gone, the next start finds the same damage and goes on here.
  for (const suffix of ["-wal", "-shm", ""]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  flush(files.folder);
  const journal = openJournal(file);
  journal.atomically(() => {
    for (const entry of entries.values()) journal.addHistory(entry);
    for (const name of files.installedProducts()) restoreProduct(journal, files, name, nowMs);
  });
  return { journal, rebuilt: aside };
}

/** The link on disk is the truth about what runs. */
function restoreProduct(journal: Journal, files: StateFiles, name: string, nowMs: number): void {
  const product = Product.safeParse(name).data;
  const current = linkedVersion(join(files.products, name, "current"));
  if (product === undefined || current === undefined) return;
  const currentSha256 = files.manifestOf(product, current);
  journal.setProduct({
    product,
    current,
    ...(currentSha256 && { currentSha256 }),
    ...previousOf(journal, files, product, current, nowMs),
  });
  if (currentSha256 === undefined) return;
  const update = { product, version: current, manifestSha256: currentSha256 };
  const facts = { nowMs, jobId: crypto.randomUUID() };
  for (const event of ["download", "downloaded", "install", "switched", "healthy"] as const)
    journal.move(update, event, facts);
}

/** The way back: where the last install came from, if that is still there and still in time. */
function previousOf(
  journal: Journal,
  files: StateFiles,
  product: Product,
  current: Version,
  nowMs: number,
): Partial<ProductRow> {
  const last = journal
    .history()
    .find((entry) => entry.product === product && entry.operation !== "verify");
  const cameByInstall =
    last?.operation === "install" && last.result === "succeeded" && last.toVersion === current;
  const previous = cameByInstall ? last.fromVersion : undefined;
  if (last === undefined || previous === undefined) return {};
  const rollbackUntilMs = last.endedMs + ROLLBACK_WINDOW_MS;
  const folder = join(files.products, product, "versions", previous);
  if (rollbackUntilMs <= nowMs || !existsSync(folder)) return {};
  const previousSha256 = files.manifestOf(product, previous);
  return { previous, rollbackUntilMs, ...(previousSha256 && { previousSha256 }) };
}

function linkedVersion(link: string): Version | undefined {
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
