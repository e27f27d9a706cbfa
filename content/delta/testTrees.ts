/** Trees, edits and small executables for the tests of this folder. */
import { createHash } from "node:crypto";
import { applyDelta } from "./apply.ts";
import { sourceOfBytes } from "./byteSource.ts";
import type { TreeFile } from "./groups.ts";

export function treeFile(path: string, bytes: Uint8Array): TreeFile {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, sha256, ...sourceOfBytes(bytes) };
}

export function treeOf(files: Readonly<Record<string, Uint8Array>>): TreeFile[] {
  return Object.entries(files).map(([path, bytes]) => treeFile(path, bytes));
}

/** Applies a patch and gives what it made, only what was finished, by path. */
export function applied(
  patch: Uint8Array,
  old: readonly TreeFile[],
  fresh: readonly TreeFile[],
): Map<string, Uint8Array> {
  const parts = new Map<number, Uint8Array[]>();
  const made = new Map<string, Uint8Array>();
  applyDelta({
    patch: sourceOfBytes(patch),
    old: (file) => old[file] ?? sourceOfBytes(new Uint8Array(0)),
    fresh: (file) => fresh[file],
    sink: {
      write: (file, bytes) => {
        const list = parts.get(file) ?? [];
        list.push(bytes.slice());
        parts.set(file, list);
      },
      finish: (file) => {
        made.set(fresh[file]?.path ?? "", Buffer.concat(parts.get(file) ?? []));
      },
    },
  });
  return made;
}

/** A repeatable sequence of numbers from 0 to below 1 (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomBytes(length: number, seed: number): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({ length }, () => Math.floor(next() * 256));
}

export interface SmallProgram {
  /** Bytes of code before everything else: moves all that follows. */
  readonly leadBytes: number;
  readonly functions: number;
}

/**
 * An ELF executable for x86-64 in which every function calls the next, loads an address relative to
 * itself, and is pointed to from a table: another lead changes every reference and nothing else.
 */
export function smallProgram({ leadBytes, functions }: SmallProgram): Uint8Array {
  const base = 0x400000;
  const codeAt = 0x1000;
  const bodyBytes = 64;
  const codeBytes = leadBytes + functions * bodyBytes;
  const tableAt = codeAt + Math.ceil(codeBytes / 4096) * 4096;
  const tableBytes = functions * 8;
  const headersAt = tableAt + tableBytes;
  const bytes = new Uint8Array(headersAt + 4 * 64 + 32);
  const view = new DataView(bytes.buffer);
  const wide = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  wide(32, 64);
  wide(40, headersAt);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 4, true);
  view.setUint16(62, 3, true);
  view.setUint32(64, 1, true);
  wide(64 + 16, base);
  wide(64 + 32, headersAt);
  wide(64 + 40, headersAt);
  bytes.fill(0x90, codeAt, codeAt + leadBytes);
  const functionAt = (index: number) => codeAt + leadBytes + (index % functions) * bodyBytes;
  for (let i = 0; i < functions; i++) {
    const at = functionAt(i);
    bytes.fill(0x90, at, at + bodyBytes);
    // lea rax, [rip + table entry]; call another; mov eax, own number; ret
    bytes.set([0x48, 0x8d, 0x05], at);
    view.setInt32(at + 3, tableAt + i * 8 - (at + 7), true);
    bytes[at + 7] = 0xe8;
    view.setInt32(at + 8, functionAt(i * 7 + 3) - (at + 12), true);
    bytes[at + 12] = 0xb8;
    view.setInt32(at + 13, i, true);
    bytes[at + 17] = 0xc3;
    wide(tableAt + i * 8, base + at);
  }
  const section = (index: number, type: number, flags: number, at: number, size: number) => {
    const header = headersAt + index * 64;
    view.setUint32(header + 4, type, true);
    wide(header + 8, flags);
    wide(header + 16, base + at);
    wide(header + 24, at);
    wide(header + 32, size);
  };
  section(1, 1, 6, codeAt, codeBytes);
  section(2, 1, 3, tableAt, tableBytes);
  section(3, 3, 0, headersAt + 256, 32);
  return bytes;
}
