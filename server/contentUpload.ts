/**
 * Takes in one file under its own SHA-256: `repo/content/AB/SHA256`. What was cut off or is not what
 * was announced is never visible.
 *
 * Errors: UPB-SERVER-CONTENT-HASH, UPB-SERVER-CONTENT-TOO-LARGE.
 */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { flushFolder } from "../content/durableFile.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Sha256 } from "../protocol/ids.ts";

/** Security reference, section 6: the default cap for one file. */
const MAX_CONTENT_BYTES = 8 * 1024 ** 3;

export interface ContentUpload {
  has(sha256: Sha256): boolean;
  /** Durable when it resolves. True: it is new. */
  store(sha256: Sha256, body: Readable): Promise<boolean>;
  readonly asked: Asked;
}

/** Paths of contents that somebody asked for or sent: an update that needs them is being made. */
export interface Asked {
  has(path: string): boolean;
  /** All since the last time. */
  take(): ReadonlySet<string>;
}

export const contentPath = (sha256: string): string => `content/${sha256.slice(0, 2)}/${sha256}`;

export function contentUpload(data: string): ContentUpload {
  const uploads = join(data, "work", "uploads");
  // What was cut off by the end of an earlier process.
  rmSync(uploads, { recursive: true, force: true });
  mkdirSync(uploads, { recursive: true, mode: 0o700 });
  const fileOf = (sha256: Sha256) => join(data, "repo", contentPath(sha256));
  let asked = new Set<string>();
  return {
    asked: {
      has: (path) => asked.has(path),
      take() {
        const all = asked;
        asked = new Set();
        return all;
      },
    },
    has(sha256) {
      asked.add(contentPath(sha256));
      return existsSync(fileOf(sha256));
    },
    async store(sha256, body) {
      asked.add(contentPath(sha256));
      const target = fileOf(sha256);
      if (existsSync(target)) {
        // Read to its end, so that the connection can be used again.
        for await (const _ of body);
        return false;
      }
      const beside = join(uploads, randomUUID());
      try {
        await receive(body, beside, sha256);
        const folder = dirname(target);
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        renameSync(beside, target);
        for (const each of [folder, dirname(folder), dirname(dirname(folder))]) flushFolder(each);
        return true;
      } finally {
        rmSync(beside, { force: true });
      }
    },
  };
}

async function receive(body: Readable, file: string, sha256: Sha256): Promise<void> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length;
      hash.update(chunk);
      if (sizeBytes <= MAX_CONTENT_BYTES) return done(null, chunk);
      done(new UpbeatError("UPB-SERVER-CONTENT-TOO-LARGE", { object: sha256 }));
    },
  });
  await pipeline(body, check, createWriteStream(file, { flags: "wx", mode: 0o644 }));
  const found = hash.digest("hex");
  if (found !== sha256) {
    const detail = `found ${found}, ${sizeBytes} bytes`;
    throw new UpbeatError("UPB-SERVER-CONTENT-HASH", { object: sha256, detail });
  }
  const handle = await open(file, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
