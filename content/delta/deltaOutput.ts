/** What comes out of a patch: in order, never more than declared, and checked. */
import { createHash, type Hash } from "node:crypto";
import { UpbeatError } from "../../protocol/errors/upbeatError.ts";
import { malformed } from "./malformed.ts";
import type { Slice } from "./patchHeader.ts";

export interface FreshFile {
  readonly sizeBytes: number;
  /** Undefined when it is not known before: then whoever gets the files checks it. */
  readonly sha256: string | undefined;
}

export interface DeltaSink {
  /** The next bytes of a file, valid during the call. */
  write(file: number, bytes: Uint8Array): void;
  /** The file is complete and is what it should be; `sha256` is what it is. */
  finish(file: number, sha256: string): void;
}

/** Of what is handed on at once; nothing longer may be appended. */
const PIECE_BYTES = 65_536;

interface Progress {
  readonly expected: FreshFile;
  readonly hash: Hash;
  writtenBytes: number;
}

export class Output {
  private readonly expectedOf: (file: number) => FreshFile | undefined;
  private readonly sink: DeltaSink;
  private readonly begun = new Map<number, Progress>();
  private readonly finished = new Set<number>();
  private slices: readonly Slice[] = [];
  private next = 0;
  private current: Progress | undefined;
  private rest = 0;
  /** Steps are mostly short, and each write is a call of the system. */
  private readonly staged = new Uint8Array(PIECE_BYTES);
  private filled = 0;

  constructor(expectedOf: (file: number) => FreshFile | undefined, sink: DeltaSink) {
    this.expectedOf = expectedOf;
    this.sink = sink;
  }

  /** What is written from now on are these, one after the other. */
  begin(slices: readonly Slice[]): void {
    this.slices = slices;
    this.next = 0;
    this.current = undefined;
    this.advance();
  }

  /** Where the bytes were put: until the next call they can be changed there. */
  append(bytes: Uint8Array): Uint8Array {
    if (this.filled + bytes.length > PIECE_BYTES) this.flush();
    this.staged.set(bytes, this.filled);
    const start = this.filled;
    this.filled += bytes.length;
    return this.staged.subarray(start, this.filled);
  }

  /** Hands on what was appended. */
  flush(): void {
    const bytes = this.staged.subarray(0, this.filled);
    this.filled = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.current === undefined) throw malformed("it makes more than it says");
      const piece = bytes.subarray(at, at + Math.min(this.rest, bytes.length - at));
      this.current.hash.update(piece);
      this.current.writtenBytes += piece.length;
      this.sink.write((this.slices[this.next - 1] as Slice).file, piece);
      at += piece.length;
      this.rest -= piece.length;
      if (this.rest === 0) this.advance();
    }
  }

  /** Errors: UPB-DELTA-MALFORMED unless everything that was begun is complete. */
  end(): void {
    if (this.current !== undefined || this.begun.size > 0)
      throw malformed("a file is not complete");
  }

  /** To the next slice that has bytes; empty files are finished on the way. */
  private advance(): void {
    for (;;) {
      const last = this.slices[this.next - 1];
      if (last !== undefined && this.current !== undefined) this.leave(last.file, this.current);
      const slice = this.slices[this.next++];
      this.current = slice === undefined ? undefined : this.enter(slice);
      this.rest = slice?.length ?? 0;
      if (slice === undefined || slice.length > 0) return;
    }
  }

  private enter(slice: Slice): Progress {
    const expected = this.expectedOf(slice.file);
    const progress = this.begun.get(slice.file);
    const from = progress?.writtenBytes ?? 0;
    if (expected === undefined || this.finished.has(slice.file) || slice.start !== from) {
      throw malformed(`it may not make new file ${slice.file}`);
    }
    if (from + slice.length > expected.sizeBytes) throw malformed(`file ${slice.file} is too long`);
    const begun = progress ?? { expected, hash: createHash("sha256"), writtenBytes: 0 };
    this.begun.set(slice.file, begun);
    return begun;
  }

  private leave(file: number, progress: Progress): void {
    if (progress.writtenBytes < progress.expected.sizeBytes) return;
    const sha256 = progress.hash.digest("hex");
    const expected = progress.expected.sha256;
    if (expected !== undefined && sha256 !== expected) {
      throw new UpbeatError("UPB-DELTA-WRONG-BASE", {
        object: `new file ${file}`,
        detail: `expected sha256 ${expected}, found ${sha256}`,
      });
    }
    this.begun.delete(file);
    this.finished.add(file);
    this.sink.finish(file, sha256);
  }
}
