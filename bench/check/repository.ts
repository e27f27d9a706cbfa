/**
 * A repository of many updates in a folder, made with the product's own writer. All metadata is
 * there; of the targets only the product that is looked up, which is all that anybody asks for.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { targetFileName } from "../../content/metadataSource.ts";
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import { Channel, Product, Version } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import { expiry, LIFE_MS, metaOf } from "../../protocol/trust/documents.ts";
import { newSigningKey, signMetadata } from "../../protocol/trust/sign.ts";
import { addUpdates, firstRepository } from "../../protocol/trust/writer.ts";

/** Of one product, as a busy publisher has them; the number of products follows. */
const VERSIONS_PER_PRODUCT = 50;

export const CHANNEL = Channel.parse("stable");
export const LOOKED_UP = { product: Product.parse("product-0"), version: Version.parse("1.0.0") };

export function writeRepository(folder: string, updates: number): { rootFile: string } {
  const key = () => newSigningKey().key;
  const [snapshotKey, timestampKey, channelKey] = [key(), key(), key()];
  const nowMs = Date.now();
  const first = firstRepository({
    root: [key(), key(), key()],
    rootThreshold: 2,
    targets: [key()],
    targetsThreshold: 1,
    channels: { [CHANNEL]: [channelKey] },
    online: { snapshot: snapshotKey.publicHex, timestamp: timestampKey.publicHex },
    nowMs,
  });
  const roles = new Map<string, Uint8Array>();
  const keep = ({ roles: changed }: RepositoryUpdate) => {
    for (const [role, text] of Object.entries(changed))
      roles.set(role, Buffer.from(text, "base64"));
  };
  keep(first);
  const added = addUpdates({
    current: (role) => roles.get(role),
    channelKeys: [channelKey],
    nowMs,
    channel: CHANNEL,
    indexes: [],
    manifests: Array.from({ length: updates }, (_, at) => manifest(at, nowMs)),
  });
  keep(added);

  const put = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const meta: Record<string, object> = {};
  for (const [role, bytes] of roles) {
    const { version } = JSON.parse(Buffer.from(bytes).toString("utf8")).signed;
    meta[`${role}.json`] = { version, ...metaOf(bytes) };
    put(`metadata/${version}.${role}.json`, bytes);
  }
  const online = (type: "snapshot" | "timestamp", of: object) => ({
    _type: type,
    spec_version: "1.0.34",
    version: 1,
    expires: expiry(nowMs, LIFE_MS[type]),
    meta: of,
  });
  const snapshot = signMetadata(online("snapshot", meta), [snapshotKey]);
  put("metadata/1.snapshot.json", snapshot);
  const named = { "snapshot.json": { version: 1, ...metaOf(snapshot) } };
  put("metadata/timestamp.json", signMetadata(online("timestamp", named), [timestampKey]));
  put("metadata/1.root.json", Buffer.from(first.root ?? "", "base64"));
  for (const { path, bytes } of added.targets) {
    if (!path.startsWith(`${CHANNEL}/${LOOKED_UP.product}/`)) continue;
    const target = Buffer.from(bytes, "base64");
    put(`targets/${targetFileName(path, metaOf(target).hashes.sha256)}`, target);
  }
  return { rootFile: join(folder, "metadata/1.root.json") };
}

function manifest(at: number, nowMs: number): UpdateManifest {
  return UpdateManifest.parse({
    schema: "upbeat.manifest/1.0",
    product: `product-${Math.floor(at / VERSIONS_PER_PRODUCT)}`,
    version: `1.${at % VERSIONS_PER_PRODUCT}.0`,
    channel: CHANNEL,
    title: `Update ${at}`,
    classification: "update",
    publishedAt: new Date(nowMs).toISOString(),
    handler: "tree",
  });
}
