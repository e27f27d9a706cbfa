/** What a server, a mirror or the downloader itself could send: nothing of it gets further. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sourceOfBytes } from "../../../content/delta/byteSource.ts";
import { encodeTreePatch } from "../../../content/treePatch.ts";
import type { RangeWork } from "../../../core/deliveryPlan.ts";
import type { PackedDocument } from "../../../protocol/delivery.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { Sha256 } from "../../../protocol/ids.ts";
import { type FileEntry, writePayload } from "../../../protocol/payload.ts";
import { objectPath } from "../contentStore.ts";
import type { DownloadWorld } from "../download.ts";
import { storeFolder } from "../handlers/tree.ts";
import { keptManifests } from "../keptManifests.ts";
import { applyStep } from "./applyPatch.ts";
import { bringRange } from "./bringFrames.ts";
import { bringDelivery } from "./documents.ts";

let folder: string;
let asked: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-hostile-"));
  mkdirSync(join(folder, "incoming"));
  asked = 0;
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hashOf = (bytes: Uint8Array): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

/** A downloader that brings this, whatever was asked for. */
function bringing(bytes: Uint8Array, put = writeFileSync as (path: string, b: Uint8Array) => void) {
  const arrived = join(folder, "incoming", "arrived");
  const world: Partial<DownloadWorld> = {
    manifests: keptManifests(folder),
    installed: join(folder, "installed"),
    incoming: join(folder, "incoming"),
    patches: join(folder, "patches"),
    onBytes: () => {},
    onPhase: () => {},
    known: () => undefined,
    downloader: {
      metadata: { fetch: async () => undefined },
      target: async () => new Uint8Array(),
      rest: () => {},
      stop: () => {},
      content: async () => {
        asked++;
        put(arrived, bytes);
        return arrived;
      },
    },
  };
  return world as DownloadWorld; // what is under test uses no more of it
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return error instanceof UpbeatError ? error.code : String(error);
  }
}

const stored = () => {
  const store = storeFolder(join(folder, "installed"));
  return existsSync(store)
    ? readdirSync(store, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("."))
    : [];
};

const file = (bytes: Uint8Array): FileEntry => ({
  type: "file",
  path: "a",
  mode: 0o644,
  sizeBytes: bytes.length,
  sha256: hashOf(bytes),
});

/** One object of one frame with these contents in it. */
function range(object: Uint8Array, contents: readonly Uint8Array[], rawBytes: number): RangeWork {
  let start = 0;
  const frame = {
    object: 0,
    start: 0,
    storedBytes: object.length,
    rawBytes,
    codec: "zstd" as const,
  };
  return {
    object: { sha256: hashOf(object), sizeBytes: object.length },
    start: 0,
    sizeBytes: object.length,
    frames: [
      {
        frame,
        contents: contents.map((bytes) => {
          const at = start;
          start += bytes.length;
          return { file: file(bytes), start: at };
        }),
      },
    ],
  };
}

const ZEROS = zlib.zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));

describe("a frame", () => {
  it("that is right is taken, alone or among others", async () => {
    const [one, two] = [Buffer.from("one"), Buffer.from("two and more")];
    const packed = zlib.zstdCompressSync(Buffer.concat([one, two]));
    await bringRange(bringing(packed), range(packed, [one, two], one.length + two.length));
    const store = storeFolder(join(folder, "installed"));
    expect(readFileSync(objectPath(store, file(two)))).toEqual(two);
    expect(stored()).toHaveLength(2);
    expect(readdirSync(join(folder, "incoming"))).toEqual([]);
  });

  it("that unpacks to more than it says is stopped there", async () => {
    const small = Buffer.alloc(1_000);
    const alone = range(ZEROS, [small], small.length);
    expect(await codeOf(bringRange(bringing(ZEROS), alone))).toBe("UPB-VERIFY-CONTENT");
    // Every try is one from another source.
    expect(asked).toBe(3);
    const shared = range(ZEROS, [small, Buffer.alloc(10, 1)], 50_000);
    expect(await codeOf(bringRange(bringing(ZEROS), shared))).toBe("UPB-VERIFY-CONTENT");
    expect(stored()).toEqual([]);
  });

  it("that wants a larger window than was agreed is refused", async () => {
    const bytes = Buffer.alloc(64 * 1024 * 1024, "text of some length ");
    const params = { [zlib.constants.ZSTD_c_windowLog]: 27 };
    // Written as a stream: a frame whose size is known needs no larger window than that.
    const wide = await new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = [];
      const pack = zlib.createZstdCompress({ params });
      pack
        .on("data", (part: Buffer) => parts.push(part))
        .on("end", () => resolve(Buffer.concat(parts)));
      pack.end(bytes);
    });
    const alone = range(wide, [bytes], bytes.length);
    expect(await codeOf(bringRange(bringing(wide), alone))).toBe("UPB-VERIFY-CONTENT");
  });

  it("that is shorter than it says, or something else, is not believed", async () => {
    const bytes = Buffer.from("what was signed");
    const packed = zlib.zstdCompressSync(bytes);
    const work = range(packed, [bytes], bytes.length);
    for (const lie of [
      packed.subarray(0, 5),
      Buffer.alloc(0),
      zlib.zstdCompressSync(Buffer.from("what was forged")),
    ]) {
      expect(await codeOf(bringRange(bringing(lie), work))).toBe("UPB-VERIFY-CONTENT");
    }
    expect(stored()).toEqual([]);
  });

  it("that says to be much larger packed than unpacked is refused before anything is reserved", async () => {
    const bytes = Buffer.alloc(100);
    const work = range(Buffer.alloc(1_000_000), [bytes, bytes], 200);
    expect(await codeOf(bringRange(bringing(bytes), work))).toBe("UPB-DELIVERY-INVALID");
  });

  it("that the downloader swapped for a link to a file of this machine is not read", async () => {
    const secret = Buffer.from("what only root may read");
    writeFileSync(join(folder, "secret"), secret);
    const work = range(secret, [secret], secret.length);
    const link = (path: string) => symlinkSync(join(folder, "secret"), path);
    expect(await codeOf(bringRange(bringing(secret, link), work))).toBe("UPB-VERIFY-CONTENT");
    expect(stored()).toEqual([]);
  });
});

describe("the description of a delivery", () => {
  const payload = hashOf(Buffer.from("list"));
  const read = (bytes: Uint8Array, packed: Partial<PackedDocument> = {}) =>
    codeOf(
      bringDelivery(
        bringing(bytes),
        {
          sha256: hashOf(bytes),
          sizeBytes: bytes.length,
          codec: "none",
          rawBytes: bytes.length,
          ...packed,
        },
        payload,
        "kiosk@1.0.0",
      ),
    );
  const packed = { sha256: payload, sizeBytes: 1, codec: "none", rawBytes: 1 };
  const document = (differs: object) =>
    Buffer.from(
      JSON.stringify({
        schema: "upbeat.delivery/1",
        payload,
        list: packed,
        contents: packed,
        whole: { sizeBytes: 1, frames: 1 },
        patches: [],
        ...differs,
      }),
    );

  it("is believed only if it is the signed one, of this update, and in form", async () => {
    expect(await read(document({}))).toBe("accepted");
    expect(await read(document({}), { sha256: payload })).toBe("UPB-TRUST-HASH");
    expect(await read(document({}), { rawBytes: 5 })).toBe("UPB-DELIVERY-INVALID");
    expect(await read(document({ payload: hashOf(Buffer.from("other")) }))).toBe(
      "UPB-DELIVERY-INVALID",
    );
    expect(await read(document({ whole: { sizeBytes: -1, frames: 1 } }))).toBe(
      "UPB-DELIVERY-INVALID",
    );
    expect(await read(Buffer.from("<html>"))).toBe("UPB-DELIVERY-INVALID");
    expect(await read(ZEROS, { codec: "zstd", rawBytes: 1_000 })).toBe("UPB-DELIVERY-INVALID");
  });
});

describe("a patch", () => {
  const old = Buffer.from("a line that stays\n".repeat(50));
  const fresh = Buffer.from(`${"a line that stays\n".repeat(50)}and one that is new\n`);
  const side = (bytes: Uint8Array) => ({
    entries: [file(bytes)],
    open: () => sourceOfBytes(bytes),
  });

  async function apply(differs: { to?: Sha256; writeBytes?: number; bytes?: Uint8Array }) {
    const patch = await encodeTreePatch(side(old), side(fresh));
    const sent = differs.bytes ?? patch;
    const world = bringing(sent);
    const at = objectPath(storeFolder(world.installed), file(old));
    mkdirSync(join(at, ".."), { recursive: true });
    writeFileSync(at, old);
    const step = {
      to: differs.to ?? writePayload([file(fresh)]).ref.sha256,
      patch: {
        from: writePayload([file(old)]).ref.sha256,
        sha256: hashOf(sent),
        sizeBytes: sent.length,
        readBytes: old.length,
        writeBytes: differs.writeBytes ?? fresh.length,
      },
    };
    const code = await codeOf(applyStep(world, step, [file(old)]));
    return { code, lists: world.manifests.lists.all() };
  }

  it("makes its list and its files, and nothing else", async () => {
    const { code, lists } = await apply({});
    expect(code).toBe("accepted");
    expect(lists).toEqual([writePayload([file(fresh)]).ref.sha256]);
    expect(stored()).toHaveLength(2);
  });

  it("that writes more than was signed is refused before it writes", async () => {
    const { code, lists } = await apply({ writeBytes: fresh.length - 1 });
    expect(code).toBe("UPB-DELTA-MALFORMED");
    expect(lists).toEqual([]);
    expect(stored()).toHaveLength(1);
  });

  it("that leads to another list than it was signed for is not believed", async () => {
    const { code, lists } = await apply({ to: hashOf(old) });
    expect(code).toBe("UPB-DELTA-WRONG-BASE");
    expect(lists).toEqual([]);
  });

  it("that is no patch is refused", async () => {
    expect((await apply({ bytes: Buffer.from("no patch") })).code).toBe("UPB-DELTA-MALFORMED");
  });
});
