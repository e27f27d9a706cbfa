/** The list of published updates: made from the signed metadata, so it can always be made again. */
import { z } from "zod";
import { PublishedUpdate } from "../../protocol/adminApi.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { UpdateManifest } from "../../protocol/manifest.ts";
import type { Database } from "./database.ts";

export async function listUpdates(db: Database): Promise<PublishedUpdate[]> {
  const rows = await db
    .selectFrom("published_update")
    .selectAll()
    .orderBy("published_at", "desc")
    .orderBy("product")
    .orderBy("version")
    .execute();
  return z.array(PublishedUpdate).parse(
    rows.map((row) => ({
      product: row.product,
      version: row.version,
      channel: row.channel,
      manifestSha256: row.manifest_sha256,
      title: row.title,
      classification: row.classification,
      publishedAt: row.published_at,
      files: row.files,
      sizeBytes: row.size_bytes,
      retired: row.retired === 1,
    })),
  );
}

export async function recordUpdates(
  db: Database,
  added: readonly { manifest: UpdateManifest; sha256: Sha256 }[],
  retired: readonly string[],
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const { manifest, sha256 } of added) {
      await transaction
        .insertInto("published_update")
        .values({
          manifest_sha256: sha256,
          product: manifest.product,
          version: manifest.version,
          channel: manifest.channel,
          title: manifest.title,
          classification: manifest.classification,
          published_at: manifest.publishedAt,
          files: manifest.payload?.files ?? 0,
          size_bytes: manifest.payload?.totalBytes ?? 0,
          retired: 0,
        })
        .onConflict((conflict) => conflict.column("manifest_sha256").doUpdateSet({ retired: 0 }))
        .execute();
    }
    // One by one: an engine takes only so many parameters in one statement.
    for (const sha256 of retired) {
      await transaction
        .updateTable("published_update")
        .set({ retired: 1 })
        .where("manifest_sha256", "=", sha256)
        .execute();
    }
  });
}

/** By manifest: whether it is listed as retired. */
export async function knownUpdates(db: Database): Promise<Map<string, boolean>> {
  const rows = await db
    .selectFrom("published_update")
    .select(["manifest_sha256", "retired"])
    .execute();
  return new Map(rows.map((row) => [row.manifest_sha256, row.retired === 1]));
}
