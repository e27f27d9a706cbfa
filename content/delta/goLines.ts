/**
 * Go's `.gopclntab`: which function is where and where its line tables are, a list of offsets from
 * one part of the section into another (Go's runtime/symtab.go; the layout since Go 1.20).
 */
import { type ByteSource, readBytes, viewOf } from "./byteSource.ts";
import { coordinateOf, type ElfImage, type ElfSection } from "./elf.ts";
import { FORM, type Part } from "./fieldList.ts";

export interface GoTables {
  /** Coordinates: where the offsets of each sort count from, and where the functions' records end. */
  readonly code: number;
  readonly names: number;
  readonly units: number;
  readonly files: number;
  readonly programs: number;
  readonly functions: number;
  readonly index: number;
  readonly end: number;
  /** The address from which data of functions counts, as a coordinate, or -1. */
  readonly data: number;
  readonly codeSize: number;
}

const MAGIC = 0xfffffff1;

export function goTables(
  image: ElfImage,
  section: ElfSection,
  source: ByteSource,
): GoTables | undefined {
  if (section.size < 72) return undefined;
  const view = viewOf(readBytes(source, section.offset, 72));
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(7) !== 8) return undefined;
  const end = section.offset + section.size;
  const part = (at: number) => section.offset + view.getUint32(at, true);
  const functions = part(64);
  const index = functions + view.getUint32(8, true) * 8 + 4;
  const parts = [part(32), part(40), part(48), part(56), functions, index, end];
  const code = coordinateOf(image.segments, image.codeStart);
  if (code < 0 || parts.some((at, i) => i > 0 && at < (parts[i - 1] as number))) return undefined;
  return {
    code,
    names: part(32),
    units: part(40),
    files: part(48),
    programs: part(56),
    functions,
    index,
    end,
    data: functionData(image, section, source),
    codeSize: image.codeEnd - image.codeStart,
  };
}

/** `gofunc` of the module's record: its 41st word (runtime.moduledata), which begins with our address. */
function functionData(image: ElfImage, section: ElfSection, source: ByteSource): number {
  for (const holder of image.sections) {
    if (holder.kind !== "data" || holder.size < 328 || holder.size > 65536) continue;
    const view = viewOf(readBytes(source, holder.offset, 328));
    if (view.getUint32(0, true) === section.address) {
      return coordinateOf(image.segments, view.getUint32(320, true));
    }
  }
  return -1;
}

export function scanGoLines(part: Part, go: GoTables): void {
  const { start } = part;
  const from = start + part.from;
  const to = start + part.to;
  if (from < go.index && to > go.functions) {
    scanIndex(part, go, Math.max(from, go.functions), Math.min(to, go.index));
  }
  if (to > go.index) scanRecords(part, go, Math.max(from, go.index), Math.min(to, go.end));
}

/** Pairs: where a function's code begins, where its record is. */
function scanIndex({ view, start, list }: Part, go: GoTables, from: number, to: number): void {
  for (let place = from + ((4 - ((from - go.functions) % 4)) % 4); place + 4 <= to; place += 4) {
    const value = view.getUint32(place - start, true);
    const isCode = (place - go.functions) % 8 === 0;
    const base = isCode ? go.code : go.functions;
    const limit = isCode ? go.codeSize : go.end - go.functions;
    if (value < limit) list.add(place - start, FORM.absolute, base + value, base);
  }
}

const RECORD_BYTES = 44;

function scanRecords({ view, start, list }: Part, go: GoTables, from: number, to: number): void {
  let place = from + ((4 - ((from - go.index) % 4)) % 4);
  while (place + RECORD_BYTES <= to) {
    const at = place - start;
    const entry = view.getUint32(at, true);
    const name = view.getUint32(at + 4, true);
    const programCount = view.getUint32(at + 28, true);
    const dataCount = view.getUint8(at + 43);
    const isRecord =
      entry < go.codeSize &&
      name < go.units - go.names &&
      name > 0 &&
      programCount <= 16 &&
      dataCount <= 32 &&
      [16, 20, 24].every(
        (field) => view.getUint32(at + field, true) < go.functions - go.programs,
      ) &&
      view.getUint32(at + 12, true) < go.codeSize;
    if (!isRecord) {
      place += 4;
      continue;
    }
    const add = (field: number, base: number) => {
      const value = view.getUint32(at + field, true);
      if (value !== 0) list.add(at + field, FORM.absolute, base + value, base);
    };
    add(0, go.code);
    add(4, go.names);
    for (const field of [16, 20, 24]) add(field, go.programs);
    const last = Math.min(programCount, Math.floor((to - place - RECORD_BYTES) / 4));
    for (let i = 0; i < last; i++) {
      const field = RECORD_BYTES + i * 4;
      if (view.getUint32(at + field, true) < go.functions - go.programs) add(field, go.programs);
    }
    for (let i = programCount; i < programCount + dataCount; i++) {
      const field = RECORD_BYTES + i * 4;
      if (place + field + 4 > to || go.data < 0) break;
      const value = view.getUint32(at + field, true);
      if (value < 2 ** 26) list.add(at + field, FORM.absolute, go.data + value, go.data);
    }
    place += RECORD_BYTES + (programCount + dataCount) * 4;
  }
}
