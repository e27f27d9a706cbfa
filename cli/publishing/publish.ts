/**
 * Publishes a folder as an update: bytes first, then the signed claim that they exist, so that a
 * publish that stops half-way offers nothing to anybody.
 *
 * Errors: UPB-PUBLISH-*, UPB-TREE-* for what no machine would install, UPB-KEYS-*, UPB-TRUST-*.
 */
import { readIndex, readUpdate } from "../../content/releases.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import { UpdateManifest } from "../../protocol/manifest.ts";
import { isFile, writePayload } from "../../protocol/payload.ts";
import { stableJson } from "../../protocol/trust/stableJson.ts";
import { addUpdate } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import { openPublisher, type PublisherInput } from "./publisher.ts";
import { readFolder } from "./readFolder.ts";
import { type Uploaded, uploadBytes, uploadFiles } from "./upload.ts";

/** What a person says about the release; the payload comes from the folder. */
export type ReleaseNotes = Omit<
  UpdateManifest,
  "schema" | "kind" | "publishedAt" | "payload" | "handler"
>;

export type Published =
  | { is: "published"; update: UpdateId; files: number; sizeBytes: number; uploaded: Uploaded }
  | { is: "already-there"; update: UpdateId; files: number; sizeBytes: number };

export async function publishFolder(
  session: Session,
  input: PublisherInput,
  folder: string,
  release: ReleaseNotes,
): Promise<Published> {
  const { world, progress } = session;
  const name = formatUpdate(release);
  const entries = await readFolder(folder, progress);
  const files = entries.filter(isFile);
  const payload = writePayload(entries);
  const sizeBytes = payload.ref.totalBytes;

  const publisher = await openPublisher(session, input);
  const { channel, product, version } = release;
  const manifest = UpdateManifest.parse({
    ...release,
    schema: "upbeat.manifest/1.0",
    publishedAt: new Date(world.now()).toISOString(),
    handler: "tree",
    payload: payload.ref,
  });
  const before = await readUpdate(publisher.trusted, publisher.read, channel, product, version);
  if (before !== undefined) {
    if (!saysTheSame(before.manifest, manifest)) {
      throw new UpbeatError("UPB-PUBLISH-EXISTS", { object: `${name} in ${channel}` });
    }
    const update: UpdateId = { product, version, manifestSha256: before.manifestSha256 };
    return { is: "already-there", update, files: files.length, sizeBytes };
  }
  const index = await readIndex(publisher.trusted, publisher.read, channel, product);
  // Asked before the upload: nobody wants to wait for gigabytes and then mistype a passphrase.
  const channelKeys = await publisher.signers(channel);
  const uploaded = await uploadFiles(publisher.client, folder, files, progress);
  await uploadBytes(publisher.client, payload.ref.sha256, payload.bytes, world.interrupted);
  progress.show({ text: `Sign ${name} with the key of ${channel}` });
  const { updateId, ...signed } = addUpdate({
    current: publisher.current,
    index,
    manifest,
    channelKeys,
    nowMs: world.now(),
  });
  await publisher.submit(signed);
  await publisher.refresh();
  progress.end("done");
  return { is: "published", update: updateId, files: files.length, sizeBytes, uploaded };
}

/** Everything but the moment of publishing. */
function saysTheSame(one: UpdateManifest, other: UpdateManifest): boolean {
  const comparable = (manifest: UpdateManifest) =>
    Buffer.from(stableJson({ ...manifest, publishedAt: "" }));
  return comparable(one).equals(comparable(other));
}
