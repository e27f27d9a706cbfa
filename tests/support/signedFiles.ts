/** What a server would show after a publisher's updates, as files in memory, signed by a real signer. */
import { targetFileName } from "../../content/metadataSource.ts";
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import { metaOf } from "../../protocol/trust/documents.ts";
import { parseRoot, parseTargets } from "../../protocol/trust/schema.ts";
import { roleMetaOf } from "../../server/publishing/currentSet.ts";
import type { SnapshotMeta } from "../../server/signer/rules.ts";
import type { Signer } from "../../server/signer/signer.ts";

export function signedFiles(signer: Signer): {
  files: Map<string, Uint8Array>;
  take(update: RepositoryUpdate): void;
} {
  const files = new Map<string, Uint8Array>();
  const meta: SnapshotMeta = {};
  return {
    files,
    take(update) {
      for (const { path, bytes: text } of update.targets) {
        const bytes = Buffer.from(text, "base64");
        files.set(`targets/${targetFileName(path, metaOf(bytes).hashes.sha256)}`, bytes);
      }
      for (const [role, text] of Object.entries(update.roles)) {
        const bytes = Buffer.from(text, "base64");
        const { version } = parseTargets(bytes, role).signed;
        meta[role] = roleMetaOf(version, bytes);
        files.set(`metadata/${version}.${role}.json`, bytes);
      }
      if (update.root !== undefined) {
        const bytes = Buffer.from(update.root, "base64");
        files.set(`metadata/${parseRoot(bytes).signed.version}.root.json`, bytes);
      }
      const { snapshotVersion, snapshot, timestamp } = signer.signSnapshot({ ...meta });
      files.set(`metadata/${snapshotVersion}.snapshot.json`, snapshot);
      files.set("metadata/timestamp.json", timestamp);
    },
  };
}
