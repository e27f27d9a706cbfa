/** The references that were found in one block of an executable. */
import { type AddressMap, NO_MAP } from "./addressMap.ts";
import type { ElfImage, ElfSection } from "./elf.ts";

/** Small, because a copy of a few bytes from far away costs looking through a whole block. */
export const BLOCK_BYTES = 4096;
/**
 * A block is looked through with so many bytes before and after it: instructions and records that
 * begin or end in its neighbours are known for what they are.
 */
export const BLOCK_MARGIN = 128;
export const SCANNED_BYTES = BLOCK_BYTES + 2 * BLOCK_MARGIN;

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

/** One section's part of one block and its margins. */
export interface Part {
  readonly image: ElfImage;
  readonly section: ElfSection;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The offset of the margin before the block in the file; `from` and `to` count from there. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
  readonly list: FieldList;
}

/** The fields that begin in a block, in ascending order, without those that overlap one before. */
export class FieldList {
  count = 0;
  /** Places in the block; the last field may end in the next one. */
  at = new Uint16Array(256);
  form = new Uint8Array(256);
  /** What the map adds to the target, less what it adds to the base. */
  adjust = new Int32Array(256);
  private map: AddressMap = NO_MAP;
  private end = -BLOCK_MARGIN;

  reset(map: AddressMap): void {
    this.map = map;
    this.count = 0;
    this.end = -BLOCK_MARGIN;
  }

  /** `place` counts from the margin before the block. */
  add(place: number, form: number, target: number, base = -1): void {
    const at = place - BLOCK_MARGIN;
    if (target < 0 || at < this.end || at >= BLOCK_BYTES) return;
    this.end = at + ((form & FORM.wide) !== 0 ? 8 : 4);
    if (at < 0) return;
    if (this.count === this.at.length) this.grow();
    this.at[this.count] = at;
    this.form[this.count] = form;
    this.adjust[this.count] = this.map.shiftAt(target) - (base < 0 ? 0 : this.map.shiftAt(base));
    this.count++;
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
