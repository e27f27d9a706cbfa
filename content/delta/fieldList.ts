/** The references that were found in one block of an executable. */
import { type AddressMap, NO_MAP } from "./addressMap.ts";
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

/** Fields in ascending order; what overlaps the one before or the block's end is left out. */
export class FieldList {
  count = 0;
  /** Places in the block. */
  at = new Uint16Array(512);
  form = new Uint8Array(512);
  /** What the map adds to the target, less what it adds to the base. */
  adjust = new Int32Array(512);
  private map: AddressMap = NO_MAP;
  private end = 0;

  reset(map: AddressMap): void {
    this.map = map;
    this.count = 0;
    this.end = 0;
  }

  add(at: number, form: number, target: number, base = -1): void {
    const end = at + ((form & FORM.wide) !== 0 ? 8 : 4);
    if (target < 0 || at < this.end || end > BLOCK_BYTES) return;
    if (this.count === this.at.length) this.grow();
    this.at[this.count] = at;
    this.form[this.count] = form;
    this.adjust[this.count] = this.map.shiftAt(target) - (base < 0 ? 0 : this.map.shiftAt(base));
    this.count++;
    this.end = end;
  }

  private grow(): void {
    const size = this.at.length * 2;
    const { at, form, adjust } = this;
    this.at = new Uint16Array(size);
    this.at.set(at);
    this.form = new Uint8Array(size);
    this.form.set(form);
    this.adjust = new Int32Array(size);
    this.adjust.set(adjust);
  }
}
