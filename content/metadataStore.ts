/**
 * Keeps verified metadata on disk, byte for byte as served: `FOLDER/ROLE.json`, the roots in between
 * in `FOLDER/roots/`, the high-water marks in `FOLDER/marks.state`.
 *
 * Every write is atomic and flushed, so a power cut or a full disk leaves the old file. A file that
 * can't be read whole (missing, truncated, a symbolic link) counts as absent, because the client
 * can fetch and verify it again; damaged marks are made again from the cache that verifies.
 * Errors: UPB-TRUST-STORE-FULL, UPB-TRUST-STORE-UNWRITABLE.
 */
import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../protocol/canonicalJson.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import { Sha256 } from "../protocol/ids.ts";
import type { Marks, MetadataStore } from "../protocol/trust/ports.ts";
import { encodeRoleName } from "../protocol/trust/roleNames.ts";
import { flushFolder, writeDurably } from "./durableFile.ts";

const FILE_MODE = 0o600;
/** ext4 and most others allow 255 bytes for a name; the temporary file beside needs some. */
const MAX_NAME_BYTES = 200;

export function metadataStore(folder: string): MetadataStore {
  const fileOf = (role: string) => join(folder, `${diskName(role)}.json`);
  const rootFile = (version: number) => join(folder, "roots", `${version}.root.json`);
  const marksFile = join(folder, "marks.state");
  return {
    read: (role) => readWhole(fileOf(role)),
    write: (role, bytes) => write(fileOf(role), bytes),
    remove: (role) => remove(folder, fileOf(role)),
    readRoot: (version) => readWhole(rootFile(version)),
    writeRoot: (version, bytes) => write(rootFile(version), bytes),
    readMarks: () => decodeMarks(readWhole(marksFile)),
    writeMarks: (marks) => write(marksFile, encodeMarks(marks)),
  };
}

function diskName(role: string): string {
  const encoded = encodeRoleName(role);
  if (encoded.length <= MAX_NAME_BYTES) return encoded;
  // No encoded name holds "=", so this can't be another role's name.
  return `sha256=${createHash("sha256").update(role).digest("hex")}`;
}

function readWhole(path: string): Uint8Array | undefined {
  let file: number;
  try {
    // Not blocking, or a named pipe that somebody left there would hold the service up for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // Absent, a link or unreadable: the client fetches it again.
  }
  try {
    return fstatSync(file).isFile() ? readFileSync(file) : undefined;
  } catch {
    return undefined; // A bad sector: as above.
  } finally {
    closeSync(file);
  }
}

function write(path: string, bytes: Uint8Array): void {
  try {
    writeDurably(path, bytes, FILE_MODE);
  } catch (cause) {
    throw storeError(path, cause);
  }
}

function remove(folder: string, path: string): void {
  try {
    rmSync(path, { force: true });
    flushFolder(folder);
  } catch (cause) {
    throw storeError(path, cause);
  }
}

const FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT"]);

function storeError(path: string, cause: unknown): UpbeatError {
  const native = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const code = FULL.has(native) ? "UPB-TRUST-STORE-FULL" : "UPB-TRUST-STORE-UNWRITABLE";
  return new UpbeatError(code, { object: path, cause });
}

const RoleMark = z.strictObject({ version: z.int().positive(), keys: z.string() });

/** A list, not an object: role names come from outside. The digest shows a damaged file. */
const MarksFile = z.strictObject({
  sha256: Sha256,
  marks: z.strictObject({
    roles: z.array(z.tuple([z.string(), RoleMark])),
    timeFloorMs: z.int().nonnegative(),
  }),
});

const digestOf = (marks: z.infer<typeof MarksFile>["marks"]): Sha256 =>
  Sha256.parse(createHash("sha256").update(canonicalJson(marks)).digest("hex"));

function encodeMarks({ roles, timeFloorMs }: Marks): Uint8Array {
  const marks = { roles: Object.entries(roles), timeFloorMs };
  return new TextEncoder().encode(JSON.stringify({ sha256: digestOf(marks), marks }));
}

function decodeMarks(bytes: Uint8Array | undefined): Marks | undefined {
  if (bytes === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined; // Damaged: see above.
  }
  const file = MarksFile.safeParse(json);
  if (!file.success || file.data.sha256 !== digestOf(file.data.marks)) return undefined;
  const { roles, timeFloorMs } = file.data.marks;
  return { roles: Object.fromEntries(roles), timeFloorMs };
}
