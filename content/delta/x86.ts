/**
 * Finds the addresses inside x86-64 code: a decoder of instruction lengths (Intel SDM volume 2,
 * appendix A) that walks through a piece of code and reports every 32-bit reference. Begun in the
 * middle of an instruction it falls into step after a few; what it gets wrong costs bytes, never
 * correctness.
 */
import { viewOf } from "./byteSource.ts";

/** `tail`: bytes of the instruction after the reference, from whose end it counts; -1: absolute. */
export type ReferenceSink = (at: number, tail: number, isBranch: boolean) => void;

const MODRM = 1;
const IMM8 = 2;
const IMMZ = 4;
const BRANCH = 8;
const INVALID = 16;
const PREFIX = 32;
const SPECIAL = 64;

const ONE = opcodes([
  [0x00, 0x3f, 0],
  [0x40, 0x4f, PREFIX],
  [0x60, 0x62, INVALID],
  [0x62, 0x62, SPECIAL],
  [0x63, 0x63, MODRM],
  [0x64, 0x67, PREFIX],
  [0x68, 0x68, IMMZ],
  [0x69, 0x69, MODRM | IMMZ],
  [0x6a, 0x6a, IMM8],
  [0x6b, 0x6b, MODRM | IMM8],
  [0x70, 0x7f, IMM8],
  [0x80, 0x80, MODRM | IMM8],
  [0x81, 0x81, MODRM | IMMZ],
  [0x82, 0x82, INVALID],
  [0x83, 0x83, MODRM | IMM8],
  [0x84, 0x8f, MODRM],
  [0x9a, 0x9a, INVALID],
  [0xa0, 0xa3, SPECIAL],
  [0xa8, 0xa8, IMM8],
  [0xa9, 0xa9, IMMZ],
  [0xb0, 0xb7, IMM8],
  [0xb8, 0xbf, SPECIAL],
  [0xc0, 0xc1, MODRM | IMM8],
  [0xc2, 0xc2, SPECIAL],
  [0xc4, 0xc5, SPECIAL],
  [0xc6, 0xc6, MODRM | IMM8],
  [0xc7, 0xc7, MODRM | IMMZ],
  [0xc8, 0xc8, SPECIAL],
  [0xca, 0xca, SPECIAL],
  [0xcd, 0xcd, IMM8],
  [0xce, 0xce, INVALID],
  [0xd0, 0xd3, MODRM],
  [0xd4, 0xd6, INVALID],
  [0xd8, 0xdf, MODRM],
  [0xe0, 0xe7, IMM8],
  [0xe8, 0xe9, BRANCH],
  [0xea, 0xea, INVALID],
  [0xeb, 0xeb, IMM8],
  [0xf0, 0xf0, PREFIX],
  [0xf2, 0xf3, PREFIX],
  [0xf6, 0xf7, SPECIAL | MODRM],
  [0xfe, 0xff, MODRM],
]);
for (let row = 0; row < 0x40; row += 8) {
  ONE.fill(MODRM, row, row + 4);
  ONE[row + 4] = IMM8;
  ONE[row + 5] = IMMZ;
  ONE[row + 6] = row >= 0x20 ? PREFIX : INVALID;
  ONE[row + 7] = INVALID;
}
ONE[0x0f] = SPECIAL;

const TWO = opcodes([
  [0x00, 0x03, MODRM],
  [0x04, 0x04, INVALID],
  [0x0a, 0x0a, INVALID],
  [0x0c, 0x0c, INVALID],
  [0x0d, 0x0d, MODRM],
  [0x0f, 0x0f, MODRM | IMM8],
  [0x10, 0x23, MODRM],
  [0x24, 0x27, INVALID],
  [0x28, 0x2f, MODRM],
  [0x38, 0x3f, INVALID],
  [0x40, 0x6f, MODRM],
  [0x70, 0x73, MODRM | IMM8],
  [0x74, 0x76, MODRM],
  [0x78, 0x7f, MODRM],
  [0x80, 0x8f, BRANCH],
  [0x90, 0x9f, MODRM],
  [0xa3, 0xa3, MODRM],
  [0xa4, 0xa4, MODRM | IMM8],
  [0xa5, 0xa5, MODRM],
  [0xa6, 0xa7, INVALID],
  [0xab, 0xab, MODRM],
  [0xac, 0xac, MODRM | IMM8],
  [0xad, 0xc1, MODRM],
  [0xba, 0xba, MODRM | IMM8],
  [0xc2, 0xc2, MODRM | IMM8],
  [0xc3, 0xc3, MODRM],
  [0xc4, 0xc6, MODRM | IMM8],
  [0xc7, 0xc7, MODRM],
  [0xd0, 0xff, MODRM],
]);

/**
 * Reports the references of the instructions that begin in `bytes[start, end)`; may read up to 16
 * bytes beyond. `absolute` asks for 32-bit displacements and immediates that could be addresses.
 */
export function scanX86(
  bytes: Uint8Array,
  start: number,
  end: number,
  absolute: boolean,
  sink: ReferenceSink,
): void {
  const view = viewOf(bytes);
  const limit = bytes.length - 16;
  let next = start;
  while (next < end && next < limit) {
    let at = next;
    let wide = false;
    let short = false;
    let opcode = bytes[at++] as number;
    let flags = ONE[opcode] as number;
    for (let prefixes = 0; (flags & PREFIX) !== 0 && prefixes < 6; prefixes++) {
      wide = (opcode & 0xf8) === 0x48;
      if (opcode === 0x66) short = true;
      opcode = bytes[at++] as number;
      flags = ONE[opcode] as number;
    }
    let immediate = 0;
    if ((flags & SPECIAL) !== 0) {
      if (opcode === 0x0f) {
        opcode = bytes[at++] as number;
        flags = TWO[opcode] as number;
        if (opcode === 0x38) {
          at++;
          flags = MODRM;
        } else if (opcode === 0x3a) {
          at++;
          flags = MODRM | IMM8;
        }
      } else if (opcode === 0xc5 || opcode === 0xc4 || opcode === 0x62) {
        const map = opcode === 0xc5 ? 1 : (bytes[at] as number) & (opcode === 0xc4 ? 31 : 7);
        at += opcode === 0xc5 ? 1 : opcode === 0xc4 ? 2 : 3;
        opcode = bytes[at++] as number;
        if (map === 1) flags = (TWO[opcode] as number) & (MODRM | IMM8 | INVALID);
        else if (map === 2) flags = MODRM;
        else flags = map === 3 ? MODRM | IMM8 : INVALID;
      } else if (opcode >= 0xb8 && opcode <= 0xbf) {
        if (wide) immediate = 8;
        else flags = IMMZ;
      } else if (opcode >= 0xf6) {
        // TEST alone of this group has an immediate.
        if (((bytes[at] as number) & 0x30) === 0)
          flags = opcode === 0xf6 ? MODRM | IMM8 : MODRM | IMMZ;
      } else if (opcode <= 0xa3) immediate = 8;
      else immediate = opcode === 0xc8 ? 3 : 2;
    }
    if ((flags & (INVALID | PREFIX)) !== 0) {
      next++;
      continue;
    }
    if ((flags & BRANCH) !== 0) {
      sink(at, 0, true);
      next = at + 4;
      continue;
    }
    if ((flags & IMM8) !== 0) immediate = 1;
    else if ((flags & IMMZ) !== 0) immediate = short ? 2 : 4;
    if ((flags & MODRM) !== 0) {
      const modrm = bytes[at++] as number;
      const mode = modrm >> 6;
      const base = modrm & 7;
      if (mode !== 3) {
        let direct = mode === 0 && base === 5;
        if (direct) sink(at, immediate, false);
        else if (base === 4) {
          const sib = bytes[at++] as number;
          direct = mode === 0 && (sib & 7) === 5;
          if (absolute && (direct || mode === 2)) sink(at, -1, false);
        } else if (absolute && mode === 2) sink(at, -1, false);
        if (mode === 1) at++;
        else if (mode === 2 || direct) at += 4;
      }
    }
    if (absolute && immediate === 4 && view.getInt32(at, true) > 0) sink(at, -1, false);
    next = at + immediate;
  }
}

function opcodes(rows: readonly (readonly [number, number, number])[]): Uint8Array {
  const flags = new Uint8Array(256);
  for (const [from, to, value] of rows) flags.fill(value, from, to + 1);
  return flags;
}
