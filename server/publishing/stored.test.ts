import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sourceOfBytes } from "../../content/delta/byteSource.ts";
import { packDocument } from "../../content/packedDocument.ts";
import { encodeTreePatch } from "../../content/treePatch.ts";
import { contentTable } from "../../core/contentPlaces.ts";
import type { ContentTable, Delivery, PackedDocument, Patch } from "../../protocol/delivery.ts";
import { Channel, Sha256 } from "../../protocol/ids.ts";
import { type FileEntry, type TreeEntry, writePayload } from "../../protocol/payload.ts";
import { metaOf } from "../../protocol/trust/documents.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import { type PublishingWorld, publishingWorld } from "../../tests/support/publishingWorld.ts";

let world: PublishingWorld;
beforeEach(async () => {
  world = await publishingWorld();
  await world.publish(world.publisher.first());
});
afterEach(() => world.close());

const TEXTS = ["hello", "a second file", "third"];

function entriesOf(texts: readonly string[]): FileEntry[] {
  return texts.map((text, index) => ({ ...world.putContent(text), path: `file-${index}` }));
}

/** Each file as an object of its own, as it is. */
function tableOf(entries: readonly FileEntry[]): ContentTable {
  const place = ({ sha256, sizeBytes }: FileEntry) => ({
    object: { sha256, sizeBytes },
    frame: {
      object: 0,
      start: 0,
      storedBytes: sizeBytes,
      rawBytes: sizeBytes,
      codec: "none" as const,
    },
    start: 0,
    sizeBytes,
  });
  return contentTable(entries, new Map(entries.map((file) => [file.sha256, place(file)])));
}

function put(document: unknown): PackedDocument {
  const { bytes, packed } = packDocument(stableJson(document));
  world.putObject(bytes);
  return packed;
}

interface Changes {
  delivery?: (right: Delivery) => Delivery;
  table?: (right: ContentTable) => ContentTable;
}

/** A delivery as a publisher writes it, or with something changed. */
function deliveryOf(entries: readonly FileEntry[], changes: Changes = {}): PackedDocument {
  const list = writePayload(entries);
  const packedList = packDocument(list.bytes);
  world.putObject(packedList.bytes);
  const table = tableOf(entries);
  const right: Delivery = {
    schema: "upbeat.delivery/1",
    payload: list.ref.sha256,
    list: packedList.packed,
    contents: put(changes.table?.(table) ?? table),
    whole: {
      sizeBytes: entries.reduce((sum, file) => sum + file.sizeBytes, 0),
      frames: table.frames.length,
    },
    patches: [],
  };
  return put(changes.delivery?.(right) ?? right);
}

function update(version: string, entries: readonly TreeEntry[], delivery: PackedDocument) {
  const payload = writePayload(entries).ref;
  return world.publisher.add(world.publisher.manifest({ version, payload }), delivery);
}

/** A patch that leads from one list to another, and what a delivery says of it. */
async function patchBetween(
  old: readonly FileEntry[],
  fresh: readonly FileEntry[],
  texts: Map<string, string>,
) {
  const open = ({ sha256 }: FileEntry) => sourceOfBytes(Buffer.from(texts.get(sha256) ?? ""));
  const bytes = await encodeTreePatch({ entries: old, open }, { entries: fresh, open });
  world.putObject(bytes);
  return { sha256: Sha256.parse(metaOf(bytes).hashes.sha256), sizeBytes: bytes.length };
}

describe("an update with a delivery", () => {
  it("is shown when every content is where its table says", async () => {
    const entries = entriesOf(TEXTS);
    await world.publish(update("1.0.0", entries, deliveryOf(entries)));
    expect(await world.has("1.0.0")).toBe(true);
  });

  const zeros = Sha256.parse("0".repeat(64));
  it.each<[string, Changes, string]>([
    [
      "of another list",
      { delivery: (it) => ({ ...it, payload: zeros }) },
      "UPB-PUBLISH-INCONSISTENT",
    ],
    [
      "that says another size",
      { delivery: (it) => ({ ...it, whole: { ...it.whole, sizeBytes: 1 } }) },
      "UPB-PUBLISH-INCONSISTENT",
    ],
    [
      "whose table is not there",
      { delivery: (it) => ({ ...it, contents: { ...it.contents, sha256: zeros } }) },
      "UPB-PUBLISH-INCOMPLETE",
    ],
    [
      "whose table names an object that is not there",
      {
        table: (it) => ({
          ...it,
          objects: it.objects.map((object) => ({ ...object, sha256: zeros })),
        }),
      },
      "UPB-PUBLISH-INCOMPLETE",
    ],
    [
      "whose table mixes contents up",
      {
        table: (it) => ({
          ...it,
          objects: [...it.objects.slice(1), ...it.objects.slice(0, 1)].map((object, index) => ({
            ...object,
            sizeBytes: it.objects[index]?.sizeBytes ?? 0,
          })),
        }),
      },
      "UPB-PUBLISH-INCOMPLETE",
    ],
    [
      "whose table lacks a content",
      { table: (it) => ({ ...it, contents: it.contents.slice(1) }) },
      "UPB-DELIVERY-INVALID",
    ],
    [
      "whose table says that plain bytes are packed",
      {
        table: (it) => ({
          ...it,
          frames: it.frames.map((frame) => ({ ...frame, codec: "zstd" as const })),
        }),
      },
      "UPB-DELIVERY-INVALID",
    ],
    [
      "with a patch that is not there",
      {
        delivery: (it) => ({
          ...it,
          patches: [{ from: zeros, sha256: zeros, sizeBytes: 1, readBytes: 0, writeBytes: 0 }],
        }),
      },
      "UPB-PUBLISH-INCOMPLETE",
    ],
  ])("is refused %s", async (_what, changes, code) => {
    const entries = entriesOf(TEXTS);
    await world.expectRefusal(
      update("1.0.0", entries, deliveryOf(entries, changes)),
      code as never,
    );
  });

  it("is refused when two contents of the same size change places", async () => {
    const entries = entriesOf(["one", "two"]);
    const table = (right: ContentTable) => ({ ...right, contents: right.contents.toReversed() });
    const wrong = update("1.0.0", entries, deliveryOf(entries, { table }));
    await world.expectRefusal(wrong, "UPB-DELIVERY-INVALID");
  });

  it("may come again with more patches, and only with patches that lead to it", async () => {
    const texts = ["some text that is long enough to be found again", "other"];
    const [old, fresh] = [entriesOf([...texts, "old"]), entriesOf([...texts, "new!"])];
    const byHash = new Map(
      [...texts, "old", "new!", "nine!"].map((text) => [
        world.putContent(text).sha256 as string,
        text,
      ]),
    );
    const from = writePayload(old).ref.sha256;
    const right = await patchBetween(old, fresh, byHash);
    const stray = await patchBetween(old, entriesOf([...texts, "nine!"]), byHash);
    const patch: Patch = { from, ...right, readBytes: 3, writeBytes: 4 };
    await world.publish(update("1.0.0", old, deliveryOf(old)));
    await world.publish(update("2.0.0", fresh, deliveryOf(fresh)));
    const withPatch = (one: Patch) =>
      world.publisher.improve(
        "2.0.0",
        deliveryOf(fresh, { delivery: (it) => ({ ...it, patches: [one] }) }),
      );
    await world.expectRefusal(withPatch({ ...patch, from: zeros }), "UPB-PUBLISH-INCONSISTENT");
    await world.expectRefusal(withPatch({ ...patch, ...stray }), "UPB-PUBLISH-INCONSISTENT");
    await world.expectRefusal(withPatch({ ...patch, readBytes: 9 }), "UPB-PUBLISH-INCONSISTENT");
    const noPatch = { sha256: old[0]?.sha256 as Sha256, sizeBytes: old[0]?.sizeBytes as number };
    await world.expectRefusal(withPatch({ ...patch, ...noPatch }), "UPB-DELTA-MALFORMED");
    await world.publish(withPatch(patch));
    await world.publish(world.publisher.retire(Channel.parse("stable"), "kiosk", "1.0.0"));
    // Its base is gone; the patch was checked while it was there.
    await world.publish(withPatch({ ...patch }));
  });
});
