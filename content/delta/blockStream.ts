import type { ByteSource } from "./byteSource.ts";
import { malformed } from "./malformed.ts";
import { type BlockHeader, readBlockOf } from "./patchHeader.ts";

/** One stream of a patch, read from its beginning; one unpacked block is in memory at a time. */
export class BlockStream {
  private readonly patch: ByteSource;
  private readonly blocks: readonly BlockHeader[];
  private readonly old: Uint8Array | undefined;
  private next = 0;
  private block: Uint8Array = new Uint8Array(0);
  private position = 0;

  /** `old`: what the blocks were packed with, if anything. */
  constructor(patch: ByteSource, blocks: readonly BlockHeader[], old?: Uint8Array) {
    this.patch = patch;
    this.blocks = blocks;
    this.old = old;
  }

  get done(): boolean {
    return this.position === this.block.length && this.next === this.blocks.length;
  }

  /** Hands on exactly `count` bytes, in pieces of at most `PIECE_BYTES`. */
  take(count: number, use: (bytes: Uint8Array) => void): void {
    let rest = count;
    while (rest > 0) {
      if (this.position === this.block.length) this.load();
      const size = Math.min(rest, this.block.length - this.position, PIECE_BYTES);
      use(this.block.subarray(this.position, this.position + size));
      this.position += size;
      rest -= size;
    }
  }

  byte(): number {
    if (this.position === this.block.length) this.load();
    return this.block[this.position++] as number;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw malformed("a number is too long");
  }

  private load(): void {
    const header = this.blocks[this.next++];
    if (header === undefined) throw malformed("a stream ends early");
    // A writer makes no empty blocks; a million of them would cost time for nothing.
    if (header.rawBytes === 0) throw malformed("a block is empty");
    this.block = new Uint8Array(0);
    this.block = readBlockOf(this.patch, header, this.old);
    this.position = 0;
  }
}

const PIECE_BYTES = 65_536;
