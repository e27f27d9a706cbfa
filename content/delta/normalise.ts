/**
 * For finding matches only: executables with their references written as targets instead of
 * distances, the old one's as the new one will have them, so that moved code looks the same.
 */
import { type AddressMap, NO_MAP } from "./addressMap.ts";
import { type ByteSource, viewOf } from "./byteSource.ts";
import { addressOf, type ElfImage } from "./elf.ts";
import { BLOCK_BYTES, FieldList, FORM, SCANNED_BYTES } from "./fieldList.ts";
import { fieldScanner } from "./fields.ts";
import { addWide, readBlock } from "./predict.ts";

/** Rewrites the image that `target` holds. Without a map, all references become zero. */
export function normaliseImage(
  image: ElfImage,
  source: ByteSource,
  map: AddressMap | "blank",
  target: Uint8Array,
): void {
  const scanner = fieldScanner(image, source, map === "blank" ? NO_MAP : map);
  const view = viewOf(target);
  const bytes = new Uint8Array(SCANNED_BYTES);
  const fields = new FieldList();
  for (let start = 0; start < source.sizeBytes; start += BLOCK_BYTES) {
    readBlock(source, start / BLOCK_BYTES, bytes);
    scanner.scan(start / BLOCK_BYTES, bytes, fields);
    for (let i = 0; i < fields.count; i++) {
      const at = start + (fields.at[i] as number);
      if (at + 8 > target.length) break;
      const form = fields.form[i] as number;
      const adjust = fields.adjust[i] as number;
      if (map === "blank") {
        view.setInt32(at, 0, true);
        if ((form & FORM.wide) !== 0) view.setInt32(at + 4, 0, true);
      } else if ((form & FORM.wide) !== 0) {
        addWide(view, at, adjust);
      } else {
        const own = addressOf(image.segments, at);
        const value = view.getInt32(at, true);
        const plain =
          form === FORM.absolute ? value : form === FORM.relative ? own + value : own - value;
        view.setInt32(at, plain + adjust, true);
      }
    }
  }
}
