/**
 * What of an ELF file matters for foretelling references: where its sections lie in the file and in
 * memory. The file may be hostile or damaged: what does not make sense is left out, nothing throws.
 *
 * Places in an image are *coordinates*: the offset in the file; beyond its end, .bss in order.
 */
import { type ByteSource, readBytes, viewOf } from "./byteSource.ts";

export type SectionKind =
  | "code"
  | "data"
  | "constants"
  | "rela"
  | "symbols"
  | "frames"
  | "frame-index"
  | "debug"
  | "go-lines";

export interface ElfSection {
  readonly kind: SectionKind;
  readonly offset: number;
  readonly size: number;
  /** 0 for what is not loaded. */
  readonly address: number;
  /** For symbols: the coordinate of their names. */
  readonly namesAt: number;
}

export interface ElfSegment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

export interface ElfImage {
  /** Not loaded where it was linked: its pointers are in relocation tables. */
  readonly relocatable: boolean;
  readonly fileSize: number;
  /** In the order of addresses; the last is .bss, if there is any, at coordinate `fileSize`. */
  readonly segments: readonly ElfSegment[];
  /** In the order of offsets, without overlap. */
  readonly sections: readonly ElfSection[];
  readonly codeStart: number;
  readonly codeEnd: number;
}

/** Above any real executable; bounds the memory for a hostile one. */
const MAX_HEADERS = 4096;
const EM_X86_64 = 62;

/** Nothing when it is not a little-endian 64-bit ELF executable or library for x86-64. */
export function parseElf(source: ByteSource): ElfImage | undefined {
  const size = source.sizeBytes;
  // Coordinates are kept in 32 bits, .bss included.
  if (size < 64 || size > 2 ** 30) return undefined;
  const head = viewOf(readBytes(source, 0, 64));
  if (head.getUint32(0) !== 0x7f454c46 || head.getUint8(4) !== 2 || head.getUint8(5) !== 1) {
    return undefined;
  }
  const type = head.getUint16(16, true);
  const machine = head.getUint16(18, true);
  if ((type !== 2 && type !== 3) || machine !== EM_X86_64) return undefined;
  const segments = readSegments(source, head);
  const sections = readSections(source, head);
  const code = sections.filter((section) => section.kind === "code");
  if (segments.length === 0 || code.length === 0) return undefined;
  return {
    relocatable: type === 3,
    fileSize: size,
    segments,
    sections,
    codeStart: Math.min(...code.map((section) => section.address)),
    codeEnd: Math.max(...code.map((section) => section.address + section.size)),
  };
}

/** The coordinate of an address, or -1. */
export function coordinateOf(segments: readonly ElfSegment[], address: number): number {
  for (const segment of segments) {
    const within = address - segment.address;
    if (within >= 0 && within < segment.size) return segment.offset + within;
  }
  return -1;
}

/** The address of a coordinate; what is not loaded counts as lying at its offset. */
export function addressOf(segments: readonly ElfSegment[], coordinate: number): number {
  for (const segment of segments) {
    const within = coordinate - segment.offset;
    if (within >= 0 && within < segment.size) return segment.address + within;
  }
  return coordinate;
}

function table(source: ByteSource, at: number, entry: number, count: number): DataView | undefined {
  if (count === 0 || count > MAX_HEADERS || !(at + entry * count <= source.sizeBytes))
    return undefined;
  return viewOf(readBytes(source, at, entry * count));
}

function readSegments(source: ByteSource, head: DataView): ElfSegment[] {
  const view = table(source, word(head, 32), 56, head.getUint16(56, true));
  const segments: ElfSegment[] = [];
  let bss: ElfSegment | undefined;
  for (let at = 0; view !== undefined && at < view.byteLength; at += 56) {
    if (view.getUint32(at, true) !== 1) continue;
    const offset = word(view, at + 8);
    const address = word(view, at + 16);
    const size = word(view, at + 32);
    const memory = word(view, at + 40);
    if (!(offset + size <= source.sizeBytes) || !(address + memory < 2 ** 47)) continue;
    segments.push({ offset, address, size });
    if (memory > size && memory - size < 2 ** 30) {
      bss = { offset: source.sizeBytes, address: address + size, size: memory - size };
    }
  }
  segments.sort((a, b) => a.address - b.address);
  return bss === undefined ? segments : [...segments, bss];
}

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_DYNSYM = 11;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_CODE = 4;

function readSections(source: ByteSource, head: DataView): ElfSection[] {
  const view = table(source, word(head, 40), 64, head.getUint16(60, true));
  if (view === undefined) return [];
  const offsetOf = (index: number) => {
    const at = index * 64;
    return at + 64 <= view.byteLength ? word(view, at + 24) : 0;
  };
  const names = offsetOf(head.getUint16(62, true));
  const sections: ElfSection[] = [];
  for (let at = 0; at < view.byteLength; at += 64) {
    const offset = word(view, at + 24);
    const size = word(view, at + 32);
    if (size === 0 || !(offset + size <= source.sizeBytes)) continue;
    const type = view.getUint32(at + 4, true);
    const flags = view.getUint32(at + 8, true);
    const kind = kindOf(type, flags, nameAt(source, names + view.getUint32(at, true)));
    if (kind === undefined) continue;
    const namesAt = kind === "symbols" ? offsetOf(view.getUint32(at + 40, true)) : 0;
    sections.push({ kind, offset, size, address: word(view, at + 16), namesAt });
  }
  sections.sort((a, b) => a.offset - b.offset);
  return sections.filter((section, i) => {
    const before = sections[i - 1];
    return before === undefined || before.offset + before.size <= section.offset;
  });
}

function kindOf(type: number, flags: number, name: string): SectionKind | undefined {
  if (type === SHT_RELA) return "rela";
  if (type === SHT_SYMTAB || type === SHT_DYNSYM) return "symbols";
  if ((flags & SHF_ALLOC) === 0) return name.startsWith(".debug_") ? "debug" : undefined;
  if ((flags & SHF_CODE) !== 0) return "code";
  if (name === ".eh_frame") return "frames";
  if (name === ".eh_frame_hdr") return "frame-index";
  if (name === ".gopclntab") return "go-lines";
  if (type !== SHT_PROGBITS || name === ".gcc_except_table") {
    // .init_array, .dynamic and others of their own type hold pointers too.
    return (flags & SHF_WRITE) !== 0 ? "data" : undefined;
  }
  return (flags & SHF_WRITE) !== 0 ? "data" : "constants";
}

function nameAt(source: ByteSource, at: number): string {
  if (!(at + 16 <= source.sizeBytes)) return "";
  const text = String.fromCharCode(...readBytes(source, at, 16));
  return text.slice(0, (text.indexOf("\0") + 17) % 17);
}

/** A 64-bit number; imprecise above 2^53, where every bound above rejects it. */
function word(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
