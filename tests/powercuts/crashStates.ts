/**
 * What a disk with a volatile cache may hold after the power went away, chosen at random from a log.
 *
 * At a cut, every write before the last flush is there. Of each later one the drive kept any of its
 * 4 KiB pieces or none: so writes get lost, overtake each other and tear (SQLite's crash model,
 * sqlite.org/atomiccommit.html, "hardware assumptions").
 */
import type { Random } from "../support/random.ts";
import type { LogEntry } from "./diskLog.ts";

const PIECE_BYTES = 4096;

export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface CrashState {
  /** Index into the log: what stands before it had been sent to the disk. */
  readonly cut: number;
  /** Index behind the last flush before the cut; everything before it is durable. */
  readonly durable: number;
  /** What of the rest the drive had kept, in order. */
  readonly kept: readonly Piece[];
  /** Pieces that the drive had not kept. */
  readonly lost: number;
}

/** `from` and `to` are log indices; the cut falls on any place between, ends included. */
export function crashState(
  log: readonly LogEntry[],
  from: number,
  to: number,
  random: Random,
): CrashState {
  const cut = from + random.below(to - from + 1);
  const durable = lastFlush(log, cut);
  // Everything lost and everything kept are the likeliest to matter, so they are not rare.
  const keep = [0, 0.1, 0.5, 0.9, 1][random.below(5)] ?? 0.5;
  const kept: Piece[] = [];
  let lost = 0;
  for (const entry of log.slice(durable, cut)) {
    if (entry.kind !== "write") continue;
    for (const piece of pieces(entry)) {
      if (entry.fua || random.next() < keep) kept.push(piece);
      else lost++;
    }
  }
  return { cut, durable, kept, lost };
}

function lastFlush(log: readonly LogEntry[], cut: number): number {
  return log.findLastIndex((entry, at) => at < cut && entry.kind === "flush") + 1;
}

/** Cut at the disk's own 4 KiB boundaries, whatever the offset of the write. */
function pieces({ offset, bytes }: Piece): Piece[] {
  const found: Piece[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + PIECE_BYTES - ((offset + at) % PIECE_BYTES));
    found.push({ offset: offset + at, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/**
 * Builds one image after the other. States must come with `durable` ascending: what is durable is
 * applied once and kept.
 */
export function imageBuilder(
  base: Uint8Array,
  log: readonly LogEntry[],
): (state: CrashState) => Uint8Array {
  const durable = Uint8Array.from(base);
  const image = new Uint8Array(base.length);
  let applied = 0;
  return (state) => {
    if (state.durable < applied) throw new RangeError("crash states must ascend");
    for (const entry of log.slice(applied, state.durable)) {
      if (entry.kind === "write") durable.set(entry.bytes, entry.offset);
    }
    applied = state.durable;
    image.set(durable);
    for (const piece of state.kept) image.set(piece.bytes, piece.offset);
    return image;
  };
}
