/** Reads and hashes open files in pieces, so that memory stays small and the socket is answered. */
import { createHash } from "node:crypto";
import { readSync, writeSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/upbeatError.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import { passed } from "./collectGarbage.ts";
import { stopIfAsked } from "./interruption.ts";

/** One read: large enough for the disk, small enough for memory. */
const CHUNK_BYTES = 1024 * 1024;
/** How long file work may hold up the socket's API. */
const TURN_MS = 20;

export interface Expected {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/**
 * Hashes what `handle` holds, from its start, and gives each piece to `onChunk` (which must be done
 * with it when it returns). Never reads more than one byte beyond what is expected.
 * Errors: UPB-VERIFY-CONTENT.
 */
export async function requireContent(
  handle: number,
  expected: Expected,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  const { sha256, sizeBytes } = expected;
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes + 1));
  let total = 0;
  for (;;) {
    const count = readSync(handle, buffer, 0, Math.min(buffer.length, sizeBytes + 1 - total), null);
    if (count === 0) break;
    total += count;
    if (total > sizeBytes) throw wrong(expected, `more than ${sizeBytes} bytes`);
    const chunk = buffer.subarray(0, count);
    hash.update(chunk);
    onChunk(chunk);
    await breathe();
  }
  if (total < sizeBytes) throw wrong(expected, `expected ${sizeBytes} bytes, found ${total}`);
  const found = hash.digest("hex");
  if (found !== sha256) throw wrong(expected, `found ${found}`);
}

/** The same for pieces that come from elsewhere: never takes more than is expected. */
export async function requirePieces(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  expected: Expected,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  const { sha256, sizeBytes } = expected;
  const hash = createHash("sha256");
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > sizeBytes) throw wrong(expected, `more than ${sizeBytes} bytes`);
    hash.update(piece);
    onChunk(piece);
    passed(piece.length);
    await breathe();
  }
  if (total < sizeBytes) throw wrong(expected, `expected ${sizeBytes} bytes, found ${total}`);
  const found = hash.digest("hex");
  if (found !== sha256) throw wrong(expected, `found ${found}`);
}

function wrong({ sha256 }: Expected, detail: string): UpbeatError {
  return new UpbeatError("UPB-VERIFY-CONTENT", { object: sha256, detail });
}

export function writeAll(handle: number, chunk: Uint8Array): void {
  for (let done = 0; done < chunk.length; ) done += writeSync(handle, chunk, done);
}

let turnStartedMs = performance.now();

/** File work is done in one thread with the API; this lets the API answer in between, and stop it. */
export async function breathe(): Promise<void> {
  if (performance.now() - turnStartedMs < TURN_MS) return;
  await turn();
  turnStartedMs = performance.now();
  stopIfAsked();
}
