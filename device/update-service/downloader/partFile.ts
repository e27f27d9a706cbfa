/**
 * What has arrived of an object, beside a note of what it is a beginning of, so that it can go on
 * after anything: `NAME.part` and `NAME.from`. The note is a hint: the hash decides in the end.
 */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

interface Note {
  readonly origin: string;
  readonly etag: string;
}

export interface PartFile {
  readonly path: string;
  /** What arrived whole and was not taken is a part again, to be looked at once more. */
  reopen(): void;
  sizeBytes(): number;
  /** The strong ETag that it began with, if that came from this origin. */
  etagAt(origin: string): string | undefined;
  /** A new beginning: what was there is gone, and what comes now is of this. */
  begin(origin: string, etag: string | undefined): void;
  discard(): void;
  /** Gives it its name. */
  finish(): void;
}

export function partFile(folder: string, name: string): PartFile {
  const path = join(folder, `${name}.part`);
  const note = join(folder, `${name}.from`);
  const part: PartFile = {
    path,
    reopen() {
      if (existsSync(join(folder, name))) renameSync(join(folder, name), path);
    },
    sizeBytes: () => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    etagAt(origin) {
      const known = readNote(note);
      return known?.origin === origin ? known.etag : undefined;
    },
    begin(origin, etag) {
      part.discard();
      // A weak one says that it means the same, not that it is the same bytes (RFC 9110, 8.8.1).
      if (etag !== undefined && !etag.startsWith("W/"))
        writeFileSync(note, JSON.stringify({ origin, etag }), { mode: 0o600 });
    },
    discard() {
      rmSync(path, { force: true });
      rmSync(note, { force: true });
    },
    finish() {
      // Of nothing, nothing arrives.
      closeSync(openSync(path, "a", 0o600));
      renameSync(path, join(folder, name));
      rmSync(note, { force: true });
    },
  };
  return part;
}

function readNote(path: string): Note | undefined {
  try {
    const { origin, etag }: Partial<Note> = JSON.parse(readFileSync(path, "utf8"));
    return typeof origin === "string" && typeof etag === "string" ? { origin, etag } : undefined;
  } catch {
    return undefined; // none, or cut off
  }
}
