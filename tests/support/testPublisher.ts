/**
 * A publisher with keys in memory, as `upbeat keys init` makes them: root 2 of 3, targets, the
 * channels `stable` and `beta`. Written with the product's own writer.
 */
import type { RepositoryUpdate, SignerKeys } from "../../protocol/adminApi.ts";
import type { PackedDocument } from "../../protocol/delivery.ts";
import { type Channel, indexPath, Product, Version } from "../../protocol/ids.ts";
import { ProductIndex, UpdateManifest } from "../../protocol/manifest.ts";
import { emptyOfferPolicy, type OfferPolicy } from "../../protocol/offerPolicy.ts";
import { newSigningKey, type SigningKey } from "../../protocol/trust/sign.ts";
import {
  addUpdate,
  changeDelivery,
  firstRepository,
  retireUpdate,
  writePolicy,
} from "../../protocol/trust/writer.ts";

export interface TestPublisher {
  readonly keys: Record<"root" | "targets" | "stable" | "beta", SigningKey[]>;
  /** What the server accepted; `taken` puts an update in. */
  readonly roles: Map<string, Uint8Array>;
  readonly current: (role: string) => Uint8Array | undefined;
  first(): RepositoryUpdate;
  add(manifest: UpdateManifest, delivery?: PackedDocument): RepositoryUpdate;
  /** Another delivery for a version of `kiosk` that is there. */
  improve(version: string, delivery: PackedDocument): RepositoryUpdate;
  /** Over an empty policy of the channel; the caller counts revisions. */
  policy(channel: Channel, fields: Partial<OfferPolicy>, keys?: SigningKey[]): RepositoryUpdate;
  retire(channel: Channel, product: string, version: string): RepositoryUpdate;
  taken(update: RepositoryUpdate): void;
  /** The release's fields over sensible ones. */
  manifest(fields: Partial<typeof UpdateManifest._zod.input>): UpdateManifest;
  nowMs: number;
}

export function testPublisher(online: SignerKeys, nowMs: number): TestPublisher {
  const some = (count: number) => Array.from({ length: count }, () => newSigningKey().key);
  const keys = { root: some(3), targets: some(1), stable: some(1), beta: some(1) };
  const roles = new Map<string, Uint8Array>();
  const indexes = new Map<string, ProductIndex>();
  const current = (role: string) => roles.get(role);
  const channelKeys = (channel: string) => (channel === "beta" ? keys.beta : keys.stable);
  const publisher: TestPublisher = {
    keys,
    roles,
    current,
    nowMs,
    first: () =>
      firstRepository({
        root: keys.root,
        rootThreshold: 2,
        targets: keys.targets,
        targetsThreshold: 1,
        channels: { stable: keys.stable, beta: keys.beta },
        online,
        nowMs: publisher.nowMs,
      }),
    add: (manifest, delivery) => {
      const { updateId: _, ...update } = addUpdate({
        current,
        index: indexes.get(indexPath(manifest.channel, manifest.product)),
        manifest,
        channelKeys: channelKeys(manifest.channel),
        nowMs: publisher.nowMs,
        ...(delivery && { delivery }),
      });
      return update;
    },
    improve: (version, delivery) => {
      const index = indexes.get("stable/kiosk/index");
      if (index === undefined) throw new Error("nothing of kiosk is published");
      return changeDelivery({
        current,
        index,
        version: Version.parse(version),
        delivery,
        channelKeys: keys.stable,
        nowMs: publisher.nowMs,
      });
    },
    policy: (channel, fields, keys = channelKeys(channel)) =>
      writePolicy({
        current,
        policy: {
          ...emptyOfferPolicy(channel, new Date(publisher.nowMs).toISOString()),
          ...fields,
        },
        channelKeys: keys,
        nowMs: publisher.nowMs,
      }),
    retire: (channel, name, version) => {
      const product = Product.parse(name);
      const index = indexes.get(indexPath(channel, product));
      if (index === undefined) throw new Error(`no index of ${name}`);
      return retireUpdate({
        current,
        index,
        product,
        version: Version.parse(version),
        channel,
        channelKeys: channelKeys(channel),
        nowMs: publisher.nowMs,
      });
    },
    taken(update) {
      if (update.root !== undefined) roles.set("root", Buffer.from(update.root, "base64"));
      for (const [role, text] of Object.entries(update.roles))
        roles.set(role, Buffer.from(text, "base64"));
      for (const { path, bytes } of update.targets)
        if (path.endsWith("/index"))
          indexes.set(
            path,
            ProductIndex.parse(JSON.parse(Buffer.from(bytes, "base64").toString())),
          );
    },
    manifest: (fields) =>
      UpdateManifest.parse({
        schema: "upbeat.manifest/1.0",
        product: "kiosk",
        version: "1.0.0",
        channel: "stable",
        title: "Kiosk",
        classification: "update",
        publishedAt: new Date(publisher.nowMs).toISOString(),
        handler: "tree",
        ...fields,
      }),
  };
  return publisher;
}
