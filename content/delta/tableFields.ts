/** What the sections of an executable hold, and where in them references stand. */
import { addressOf, coordinateOf, type ElfImage } from "./elf.ts";
import { type FieldList, FORM, type Part } from "./fieldList.ts";
import { scanX86 } from "./x86.ts";

export function scanCode({ image, bytes, view, start, from, to, list }: Part): void {
  const { segments, codeStart, codeEnd } = image;
  const address = addressOf(segments, start + from) - from;
  const lowest = (segments[0]?.address ?? 0) + 4096;
  scanX86(bytes, from, to, !image.relocatable, (at, tail, isBranch) => {
    const value = view.getInt32(at, true);
    if (tail < 0) {
      if (value >= lowest) list.add(at, FORM.absolute, coordinateOf(segments, value));
      return;
    }
    const target = address + at + 4 + tail + value;
    if (isBranch && (target < codeStart || target >= codeEnd)) return;
    list.add(at, FORM.relative, coordinateOf(segments, target));
  });
}

/** Addresses of eight bytes where a compiler puts them; small ones are taken for numbers. */
export function scanPointers({ image, view, start, from, to, list }: Part): void {
  const lowest = image.relocatable ? image.codeStart : 1;
  for (let at = aligned(start, from, 8); at + 8 <= to; at += 8) {
    addPointer(image, view, at, lowest, list);
  }
}

function addPointer(
  image: ElfImage,
  view: DataView,
  at: number,
  lowest: number,
  list: FieldList,
): void {
  const high = view.getUint32(at + 4, true);
  if (high > 0x7fff) return;
  const value = high * 2 ** 32 + view.getUint32(at, true);
  if (value < lowest) return;
  list.add(at, FORM.absolute | FORM.wide, coordinateOf(image.segments, value));
}

/** The shortest list of code distances that is taken for the table of a switch. */
const SHORTEST_TABLE = 3;

export function scanConstants({ image, bytes, start, from, to, list }: Part): void {
  const { segments, relocatable, codeStart, codeEnd } = image;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const address = addressOf(segments, start + from) - from;
  const last = Math.floor(to / 4);
  for (let word = Math.ceil(from / 4); word < last; word++) {
    const table = address + word * 4;
    let end = word;
    for (; end < last; end++) {
      const target = table + (words[end] as number);
      if (target < codeStart || target >= codeEnd) break;
    }
    if (end - word >= SHORTEST_TABLE) {
      for (let entry = word; entry < end; entry++) {
        const target = coordinateOf(segments, table + (words[entry] as number));
        list.add(entry * 4, FORM.absolute, target, start + word * 4);
      }
      word = end - 1;
    } else if (!relocatable && (word & 1) === 0 && word + 1 < last && words[word + 1] === 0) {
      const value = (words[word] as number) >>> 0;
      if (value >= 4096) {
        list.add(word * 4, FORM.absolute | FORM.wide, coordinateOf(segments, value));
      }
    }
  }
}

/** DWARF is packed, so an address can stand anywhere. */
export function scanDebug({ image, view, from, to, list }: Part): void {
  for (let at = from; at + 8 <= to; at++) {
    if (view.getUint32(at + 4, true) !== 0) continue;
    const value = view.getUint32(at, true);
    if (value < image.codeStart || value >= image.codeEnd) continue;
    list.add(at, FORM.absolute | FORM.wide, coordinateOf(image.segments, value));
    at += 7;
  }
}

export function scanRelocations({ image, section, view, start, from, to, list }: Part): void {
  for (let at = entry(start, from, section.offset, 24); at < to; at += 24) {
    for (const place of [at, at + 16]) {
      if (place >= from && place + 8 <= to) addPointer(image, view, place, 0, list);
    }
  }
}

export function scanSymbols({ image, section, view, start, from, to, list }: Part): void {
  for (let at = entry(start, from, section.offset, 24); at < to; at += 24) {
    if (at >= from && at + 4 <= to && section.namesAt > 0) {
      const name = section.namesAt + view.getUint32(at, true);
      list.add(at, FORM.absolute, name < image.fileSize ? name : -1, section.namesAt);
    }
    if (at + 8 >= from && at + 16 <= to) addPointer(image, view, at + 8, 1, list);
  }
}

/** `.eh_frame`: records of a length, the distance back to their parent, the code they describe. */
export function scanFrames({ image, section, view, start, from, to, list }: Part): void {
  const address = addressOf(image.segments, start + from) - from;
  let at = aligned(start, from, 4);
  while (at + 24 <= to) {
    const length = view.getUint32(at, true);
    const parent = start + at + 4 - view.getUint32(at + 4, true);
    const code = address + at + 8 + view.getInt32(at + 8, true);
    const isRecord =
      length >= 12 &&
      length < 65536 &&
      length % 4 === 0 &&
      parent >= section.offset &&
      parent < start + at;
    if (!isRecord || code < image.codeStart || code >= image.codeEnd) {
      at += 4;
      continue;
    }
    list.add(at + 4, FORM.backward, parent);
    list.add(at + 8, FORM.relative, coordinateOf(image.segments, code));
    if (view.getUint8(at + 16) === 4) {
      const distance = view.getInt32(at + 17, true);
      const target = coordinateOf(image.segments, address + at + 17 + distance);
      if (distance !== 0) list.add(at + 17, FORM.relative, target);
    }
    at += length + 4;
  }
}

/** `.eh_frame_hdr`: pairs of distances from its own start, after a header of twelve bytes. */
export function scanFrameIndex({ image, section, view, start, from, to, list }: Part): void {
  for (let at = Math.max(from, aligned(start, from, 4)); at + 4 <= to; at += 4) {
    if (start + at - section.offset < 12) continue;
    const target = section.address + view.getInt32(at, true);
    list.add(at, FORM.absolute, coordinateOf(image.segments, target), section.offset);
  }
}

function aligned(start: number, from: number, unit: number): number {
  return from + ((unit - ((start + from) % unit)) % unit);
}

/** The first entry of a table that reaches beyond `from`; it may begin before. */
function entry(start: number, from: number, tableOffset: number, unit: number): number {
  return from - ((start + from - tableOffset) % unit);
}
