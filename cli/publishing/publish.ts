/**
 * Publishes a folder as an update: bytes first, then the signed claim that they exist, so that a
 * publish that stops half-way offers nothing to anybody; repeated, it goes on where it was.
 *
 * Errors: UPB-PUBLISH-*, UPB-TREE-* for what no machine would install, UPB-KEYS-*, UPB-TRUST-*.
 */
import { isDeepStrictEqual } from "node:util";
import { readChannelPolicy } from "../../content/channelPolicy.ts";
import { readIndex, readUpdate } from "../../content/releases.ts";
import { stillNeeds } from "../../core/offerPolicy.ts";
import { patchBases } from "../../core/patchBases.ts";
import { InstalledVersions } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type Sha256, type UpdateId, type Version } from "../../protocol/ids.ts";
import { type ProductIndex, UpdateManifest } from "../../protocol/manifest.ts";
import { writePayload } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import { addUpdate, changeDelivery } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import { type ContentReader, contentReader } from "./contentReader.ts";
import { makeDelivery, type PatchCost } from "./delivery.ts";
import { type EarlierVersion, readEarlier } from "./earlier.ts";
import { openPublisher, type Publisher, type PublisherInput } from "./publisher.ts";
import { readFolder } from "./readFolder.ts";
import { type Uploads, uploads } from "./upload.ts";
import { workFolder } from "./workFolder.ts";

/** What a person says about the release; the payload comes from the folder. */
export type ReleaseNotes = Omit<
  UpdateManifest,
  "schema" | "kind" | "publishedAt" | "payload" | "handler"
>;

/** What it took: time and memory of this machine, room on the server. */
export interface PublishCost {
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  readonly growth: Uploads["growth"];
  readonly patches: readonly PatchCost[];
}

export interface Published {
  /** improved: it was there, and can now be had in more ways. */
  readonly is: "published" | "improved" | "already-there";
  readonly update: UpdateId;
  readonly files: number;
  readonly sizeBytes: number;
  readonly cost: PublishCost;
  /** What the channel's policy asks for before any machine is offered it. */
  readonly needs: readonly ("rollout" | "approval")[];
}

export async function publishFolder(
  session: Session,
  input: PublisherInput,
  folder: string,
  release: ReleaseNotes,
): Promise<Published> {
  const { world, progress } = session;
  const cpuBefore = process.cpuUsage();
  const name = formatUpdate(release);
  const entries = await readFolder(folder, progress);
  const list = writePayload(entries);
  const publisher = await openPublisher(session, input);
  const { channel, product, version } = release;
  const manifest = UpdateManifest.parse({
    ...release,
    schema: "upbeat.manifest/1.0",
    publishedAt: new Date(world.now()).toISOString(),
    handler: "tree",
    payload: list.ref,
  });
  const before = await readUpdate(publisher.trusted, publisher.read, channel, product, version);
  if (before !== undefined && !saysTheSame(before.manifest, manifest))
    throw new UpbeatError("UPB-PUBLISH-EXISTS", { object: `${name} in ${channel}` });
  const index = await readIndex(publisher.trusted, publisher.read, channel, product);
  const known = await readChannelPolicy(publisher.trusted, publisher.read, channel);
  // Asked before the work: nobody wants to wait for gigabytes and then mistype a passphrase.
  const earlySigners = before === undefined ? await publisher.signers(channel) : undefined;
  const work = workFolder(world, product);
  try {
    const sent = uploads(publisher.client, world.interrupted);
    const reader = contentReader(publisher.client.url, world.interrupted);
    const { packed, patches } = await makeDelivery({
      folder,
      entries,
      list: { bytes: list.bytes, sha256: list.ref.sha256 },
      earlier: index === undefined ? [] : await readBases(publisher, reader, index, version),
      before: before && index && (await readEarlier(publisher, reader, index, version)),
      work,
      uploads: sent,
      reader,
      progress,
      interrupted: world.interrupted,
    });
    const done = (is: Published["is"], manifestSha256: Sha256): Published => {
      work.remove();
      progress.end("done");
      const { files, totalBytes: sizeBytes } = list.ref;
      const update = { product, version, manifestSha256 };
      const needs = stillNeeds(known?.policy, manifest);
      return { is, update, files, sizeBytes, cost: costOf(sent, patches, cpuBefore), needs };
    };
    const listed = index?.updates.find((entry) => entry.version === version)?.delivery;
    if (before !== undefined && isDeepStrictEqual(listed, packed))
      return done("already-there", before.manifestSha256);
    const channelKeys = earlySigners ?? (await publisher.signers(channel));
    progress.show({ text: `Sign ${name} with the key of ${channel}` });
    const signing = { current: publisher.current, channelKeys, nowMs: world.now() };
    if (before !== undefined && index !== undefined) {
      await publisher.submit(changeDelivery({ ...signing, index, version, delivery: packed }));
      await publisher.refresh();
      return done("improved", before.manifestSha256);
    }
    const { updateId, ...signed } = addUpdate({ ...signing, index, manifest, delivery: packed });
    await publisher.submit(signed);
    await publisher.refresh();
    return done("published", updateId.manifestSha256);
  } finally {
    work.leave();
  }
}

/** The versions that patches start from, and whose contents need not be stored again. */
async function readBases(
  publisher: Publisher,
  reader: ContentReader,
  index: ProductIndex,
  version: Version,
): Promise<EarlierVersion[]> {
  const path = `api/v1/products/${index.product}/installed`;
  const { versions } = await publisher.client.get(path, InstalledVersions);
  const listed = index.updates.map((entry) => entry.version);
  const bases: EarlierVersion[] = [];
  for (const base of patchBases(version, listed, versions)) {
    const found = await readEarlier(publisher, reader, index, base);
    if (found !== undefined) bases.push(found);
  }
  return bases;
}

function costOf(
  { growth }: Uploads,
  patches: readonly PatchCost[],
  cpuBefore: NodeJS.CpuUsage,
): PublishCost {
  const { user, system } = process.cpuUsage(cpuBefore);
  const { maxRSS } = process.resourceUsage();
  const children = patches.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return {
    cpuMs: Math.round((user + system) / 1_000 + children),
    peakMemoryBytes: Math.max(maxRSS * 1_024, ...patches.map((patch) => patch.peakMemoryBytes)),
    growth,
    patches,
  };
}

/** Everything but the moment of publishing. */
function saysTheSame(one: UpdateManifest, other: UpdateManifest): boolean {
  const comparable = (manifest: UpdateManifest) =>
    Buffer.from(stableJson({ ...manifest, publishedAt: "" }));
  return comparable(one).equals(comparable(other));
}
