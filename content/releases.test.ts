import { describe, expect, it } from "vitest";
import { Channel, Product, Sha256, Version } from "../protocol/ids.ts";
import { MANIFEST_MAX_BYTES } from "../protocol/manifest.ts";
import type { TrustedMetadata } from "../protocol/trust/ports.ts";
import { sha256 } from "../tests/support/trustSimulator.ts";
import { readIndex, readListedUpdate, readUpdate, type TargetReader } from "./releases.ts";

const channel = Channel.parse("stable");
const product = Product.parse("kiosk");
const version = Version.parse("1.0");
const manifest = {
  schema: "upbeat.manifest/1.0",
  product,
  version,
  channel,
  title: "Kiosk",
  classification: "update",
  publishedAt: "2026-06-01T00:00:00Z",
  handler: "none",
};
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value));
const index = (manifestSha256: string) => ({
  schema: "upbeat.index/1" as const,
  product,
  channel,
  updates: [
    {
      version,
      manifestSha256: Sha256.parse(manifestSha256),
      manifestSizeBytes: 1,
      publishedAt: "2026-06-01T00:00:00Z",
    },
  ],
});

/** Trusts exactly these files; the reader serves `served`, or the same. */
function world(files: Record<string, Uint8Array>, served: Record<string, Uint8Array> = files) {
  const trusted: TrustedMetadata = {
    versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
    expires: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
    expiresMs: 1,
    findTarget: async (path) => {
      const bytes = files[path];
      if (bytes === undefined) return undefined;
      const hash = Sha256.parse(sha256(bytes));
      return { path, sha256: hash, sizeBytes: bytes.length, role: "stable" };
    },
  };
  const read: TargetReader = async (path) => served[path] ?? new Uint8Array();
  return { trusted, read };
}

describe("a release", () => {
  const path = "stable/kiosk/1.0.json";
  const bytes = encoded(manifest);

  it("is its manifest, its hash and its exact bytes", async () => {
    const { trusted, read } = world({ [path]: bytes });
    const update = await readUpdate(trusted, read, channel, product, version);
    expect(update).toMatchObject({ manifest: { title: "Kiosk" }, manifestSha256: sha256(bytes) });
    expect(update?.bytes).toEqual(bytes);
  });

  it("that nobody vouches for is not there", async () => {
    const { trusted, read } = world({});
    expect(await readUpdate(trusted, read, channel, product, version)).toBeUndefined();
    expect(await readIndex(trusted, read, channel, product)).toBeUndefined();
    const listed = readListedUpdate(trusted, read, index(sha256(bytes)), version);
    await expect(listed).rejects.toMatchObject({ code: "UPB-TRUST-NO-SUCH-TARGET" });
  });

  it("is refused with other bytes, longer ones, or more than fits", async () => {
    const other = Uint8Array.from(bytes);
    other[5] = 0;
    for (const [lie, code] of [
      [other, "UPB-TRUST-HASH"],
      [Buffer.concat([bytes, bytes]), "UPB-TRUST-LENGTH"],
    ] as const) {
      const { trusted, read } = world({ [path]: bytes }, { [path]: lie });
      const attempt = readUpdate(trusted, read, channel, product, version);
      await expect(attempt).rejects.toMatchObject({ code });
    }
    const { trusted, read } = world({ [path]: bytes });
    const findTarget = async (of: string) => {
      const target = await trusted.findTarget(of);
      return target && { ...target, sizeBytes: MANIFEST_MAX_BYTES + 1 };
    };
    const huge = readUpdate({ ...trusted, findTarget }, read, channel, product, version);
    await expect(huge).rejects.toMatchObject({ code: "UPB-TRUST-LENGTH" });
  });

  it("is refused when it calls itself something else", async () => {
    for (const change of [{ product: "other" }, { version: "2.0" }, { channel: "beta" }]) {
      const { trusted, read } = world({ [path]: encoded({ ...manifest, ...change }) });
      const attempt = readUpdate(trusted, read, channel, product, version);
      await expect(attempt).rejects.toMatchObject({ code: "UPB-TRUST-WRONG-SOFTWARE" });
    }
  });

  it("must have the manifest that the index lists", async () => {
    const { trusted, read } = world({ [path]: bytes });
    const good = await readListedUpdate(trusted, read, index(sha256(bytes)), version);
    expect(good.manifestSha256).toBe(sha256(bytes));
    const bad = readListedUpdate(trusted, read, index("0".repeat(64)), version);
    await expect(bad).rejects.toMatchObject({ code: "UPB-TRUST-WRONG-SOFTWARE" });
  });

  it("has an index that must be one", async () => {
    for (const bad of [Buffer.from("<html>"), encoded({}), Buffer.from([0xff])]) {
      const { trusted, read } = world({ "stable/kiosk/index": bad });
      const attempt = readIndex(trusted, read, channel, product);
      await expect(attempt).rejects.toMatchObject({ code: "UPB-MANIFEST-INVALID" });
    }
  });
});
