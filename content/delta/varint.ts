/** Numbers in the patch: LEB128, seven bits a byte, lowest first; signed ones folded (zigzag). */
import { malformed } from "./malformed.ts";

/** A byte list that grows. */
export class ByteList {
  private bytes = new Uint8Array(4096);
  length = 0;

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Any safe integer from 0 up. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  signed(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** The bytes so far; valid until the next one is added. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by));
    larger.set(this.view());
    this.bytes = larger;
  }
}

export class VarintReader {
  private readonly bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.position === this.bytes.length;
  }

  /** Errors: UPB-DELTA-MALFORMED at the end of the bytes or above `limit`. */
  varint(limit: number): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) throw malformed("a list of numbers ends early");
      value += (byte & 127) * scale;
      if (value > limit) throw malformed(`a number is above its limit ${limit}`);
      if (byte < 128) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw malformed("a number is too long");
    }
  }

  signed(limit: number): number {
    const folded = this.varint(limit * 2);
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  slice(length: number): Uint8Array {
    const bytes = this.bytes.subarray(this.position, this.position + length);
    if (bytes.length !== length) throw malformed("the bytes end early");
    this.position += length;
    return bytes;
  }
}
