/** The references that were found in one block of an executable. */
import type { AddressMap } from "./addressMap.ts";
import type { ElfImage, ElfSection } from "./elf.ts";

export const BLOCK_BITS = 16;
export const BLOCK_BYTES = 2 ** BLOCK_BITS;
/** An instruction that begins at the end of a block may read on. */
export const BLOCK_MARGIN = 64;

/** How a field's value follows from what it refers to. */
export const FORM = {
  /** The address, or a distance from something fixed. */
  absolute: 0,
  /** The distance from the field to the target. */
  relative: 1,
  /** The distance back from the field to the target. */
  backward: 2,
  /** Added to the others: eight bytes instead of four. */
  wide: 4,
} as const;

export interface Fields {
  readonly count: number;
  /** Ascending places in the block. */
  readonly at: Int32Array;
  readonly form: Uint8Array;
  /** What the map adds to the target, less what it adds to the base. */
  readonly adjust: Int32Array;
}

/** One section's part of one block. */
export interface Part {
  readonly image: ElfImage;
  readonly section: ElfSection;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The block's offset in the file; `from` and `to` count from there. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly list: FieldList;
}

/** Collects fields in ascending order; what overlaps the one before or the block's end is left out. */
export class FieldList {
  private readonly map: AddressMap;
  private readonly at = new Int32Array(BLOCK_BYTES);
  private readonly form = new Uint8Array(BLOCK_BYTES);
  private readonly adjust = new Int32Array(BLOCK_BYTES);
  private count = 0;
  private end = 0;

  constructor(map: AddressMap) {
    this.map = map;
  }

  reset(): void {
    this.count = 0;
    this.end = 0;
  }

  add(at: number, form: number, target: number, base = -1): void {
    const end = at + ((form & FORM.wide) !== 0 ? 8 : 4);
    if (target < 0 || at < this.end || end > BLOCK_BYTES) return;
    this.at[this.count] = at;
    this.form[this.count] = form;
    this.adjust[this.count] = this.map.shiftAt(target) - (base < 0 ? 0 : this.map.shiftAt(base));
    this.count++;
    this.end = end;
  }

  copy(): Fields {
    const { count } = this;
    return {
      count,
      at: this.at.slice(0, count),
      form: this.form.slice(0, count),
      adjust: this.adjust.slice(0, count),
    };
  }
}
