/**
 * The differences of all copied bytes, one after the other: lengths of equal and unequal runs in
 * turn, and the unequal bytes' differences alone. Most copied bytes are equal, so this is small
 * before any compression, and quick to apply.
 */
import type { BlockStream } from "./blockStream.ts";
import { malformed } from "./malformed.ts";
import { ByteList } from "./varint.ts";

export class DifferenceList {
  readonly runs = new ByteList();
  readonly values = new ByteList();
  private equal = 0;
  private unequal = 0;

  /** `expected` is what the old bytes foretell, `actual` what the new file holds there. */
  add(expected: Uint8Array, actual: Uint8Array): void {
    for (let i = 0; i < actual.length; i++) {
      const difference = ((actual[i] as number) - (expected[i] as number)) & 255;
      if (difference === 0) {
        if (this.unequal > 0) this.endRun();
        this.equal++;
      } else {
        this.unequal++;
        this.values.byte(difference);
      }
    }
  }

  finish(): void {
    if (this.equal + this.unequal > 0) this.endRun();
  }

  private endRun(): void {
    this.runs.varint(this.equal);
    this.runs.varint(this.unequal);
    this.equal = 0;
    this.unequal = 0;
  }
}

/** The other direction. */
export class DifferenceReader {
  private readonly runs: BlockStream;
  private readonly values: BlockStream;
  private equal = 0;
  private unequal = 0;

  constructor(runs: BlockStream, values: BlockStream) {
    this.runs = runs;
    this.values = values;
  }

  get done(): boolean {
    return this.equal + this.unequal === 0 && this.runs.done && this.values.done;
  }

  /** Makes the actual bytes out of the expected ones, in place. */
  applyTo(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.equal + this.unequal === 0) {
        this.equal = this.runs.varint();
        this.unequal = this.runs.varint();
        if (this.equal + this.unequal === 0) throw malformed("a run is empty");
      }
      const same = Math.min(this.equal, bytes.length - at);
      at += same;
      this.equal -= same;
      const other = Math.min(this.unequal, bytes.length - at);
      this.unequal -= other;
      for (const end = at + other; at < end; at++) {
        bytes[at] = (bytes[at] as number) + this.values.byte();
      }
    }
  }
}
