/**
 * A bundle: signed files and what they lead to, compressed together against what the reader has.
 * Nothing in it is believed: each file is verified as if it had come alone.
 *
 *   "UPBB" 1   version of the root   count of groups   their heads   their streams
 *   head       length of the name   name   raw bytes   stored bytes
 *   stream     brotli with a dictionary; unpacked: a line of JSON, [[name, bytes], ...], then the files
 *
 * Numbers are LEB128. Errors: UPB-DELIVERY-INVALID.
 */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { ByteList, VarintReader } from "../delta/varint.ts";

/** More than that is cheaper fetched file by file, by those who want only some of it. */
export const BUNDLE_MAX_BYTES = 16 * 1024;
/** Of one group, unpacked: a channel's role of 1,000 updates has 166 kB. */
export const GROUP_MAX_BYTES = 1024 * 1024;
const MAX_GROUPS = 64;
const MAX_NAME_BYTES = 128;
const MAGIC = [0x55, 0x50, 0x42, 0x42, 1];

const c = zlib.constants;
/** Above this the best level takes longer than what it saves is worth. */
const BEST_UP_TO_BYTES = 256 * 1024;

export interface BundledFile {
  /** As in `/metadata/NAME`; empty: it is asked for by its SHA-256. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface StoredGroup {
  /** Empty, a channel, or `CHANNEL/PRODUCT` (`bases.ts`). */
  readonly name: string;
  readonly rawBytes: number;
  readonly stored: Uint8Array;
}

export interface Container {
  readonly rootVersion: number;
  readonly groups: readonly StoredGroup[];
}

export function writeContainer({ rootVersion, groups }: Container): Uint8Array {
  const list = new ByteList();
  for (const byte of MAGIC) list.byte(byte);
  list.varint(rootVersion);
  list.varint(groups.length);
  for (const { name, rawBytes, stored } of groups) {
    const encoded = new TextEncoder().encode(name);
    list.varint(encoded.length);
    list.append(encoded);
    list.varint(rawBytes);
    list.varint(stored.length);
  }
  for (const { stored } of groups) list.append(stored);
  return list.view().slice();
}

export function readContainer(bytes: Uint8Array): Container {
  return orInvalid(() => {
    const reader = new VarintReader(bytes);
    if (MAGIC.some((byte) => reader.varint(255) !== byte)) throw invalid("it is none");
    const rootVersion = reader.varint(Number.MAX_SAFE_INTEGER);
    const heads = Array.from({ length: reader.varint(MAX_GROUPS) }, () => ({
      name: new TextDecoder().decode(reader.slice(reader.varint(MAX_NAME_BYTES))),
      rawBytes: reader.varint(GROUP_MAX_BYTES),
      storedBytes: reader.varint(BUNDLE_MAX_BYTES),
    }));
    const groups = heads.map(({ name, rawBytes, storedBytes }) => {
      return { name, rawBytes, stored: reader.slice(storedBytes) };
    });
    return { rootVersion, groups };
  });
}

/** Node 26 has it, its types do not yet. */
type WithDictionary = zlib.BrotliOptions & { readonly dictionary: Uint8Array };

const compress = promisify<Uint8Array, WithDictionary, Uint8Array>(zlib.brotliCompress);
const Head = z.array(z.tuple([z.string(), z.int().nonnegative()]));

export function joinFiles(files: readonly BundledFile[]): Uint8Array {
  const head = JSON.stringify(files.map(({ name, bytes }) => [name, bytes.length]));
  return Buffer.concat([Buffer.from(`${head}\n`), ...files.map(({ bytes }) => bytes)]);
}

export function packGroup(raw: Uint8Array, dictionary: Uint8Array): Promise<Uint8Array> {
  const isSmall = raw.length + dictionary.length <= BEST_UP_TO_BYTES;
  const params = {
    [c.BROTLI_PARAM_QUALITY]: isSmall ? c.BROTLI_MAX_QUALITY : 9,
    [c.BROTLI_PARAM_MODE]: c.BROTLI_MODE_TEXT,
    [c.BROTLI_PARAM_SIZE_HINT]: raw.length,
  };
  return compress(raw, { dictionary, params });
}

/** Never more memory than the head says, which is bounded. */
export function unpackGroup(group: StoredGroup, dictionary: Uint8Array): Uint8Array {
  return orInvalid(() => {
    const maxOutputLength = Math.max(1, group.rawBytes);
    const options: WithDictionary = { dictionary, maxOutputLength };
    const raw = zlib.brotliDecompressSync(group.stored, options);
    if (raw.length === group.rawBytes) return raw;
    throw invalid(`expected ${group.rawBytes} bytes, found ${raw.length}`);
  });
}

export function splitFiles(raw: Uint8Array): BundledFile[] {
  return orInvalid(() => {
    const headEnd = raw.indexOf(0x0a);
    const head = Head.parse(JSON.parse(new TextDecoder().decode(raw.subarray(0, headEnd))));
    let at = headEnd + 1;
    return head.map(([name, sizeBytes]) => {
      const bytes = raw.subarray(at, at + sizeBytes);
      at += sizeBytes;
      if (bytes.length === sizeBytes) return { name, bytes };
      throw invalid("it ends early");
    });
  });
}

const invalid = (detail: string): UpbeatError =>
  new UpbeatError("UPB-DELIVERY-INVALID", { object: "bundle", detail });

function orInvalid<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new UpbeatError("UPB-DELIVERY-INVALID", { object: "bundle", cause });
  }
}
