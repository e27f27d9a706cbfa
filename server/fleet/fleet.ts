/**
 * Keeps how each device stands, and its labels, as `describe.ts` says: of one device in the
 * transaction of its report; of all, in the background, when what is published or signed has changed;
 * of those that fall silent, as time passes.
 */
import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import type { Logger } from "pino";
import { z } from "zod";
import { compareVersions } from "../../core/versionOrder.ts";
import { Facts, OfferInputs } from "../../protocol/deviceApi.ts";
import type { Channel, Product, Version } from "../../protocol/ids.ts";
import type { Rollout } from "../../protocol/offerPolicy.ts";
import { InstalledProduct } from "../../protocol/updateServiceApi.ts";
import type { PolicyOf } from "../publishing/currentPolicy.ts";
import { recordCompliance } from "../storage/compliance.ts";
import type { Database } from "../storage/database.ts";
import { writeLabels } from "../storage/labels.ts";
import { listUpdates } from "../storage/updates.ts";
import { describe, label, type Shown, SILENT_AFTER_MS } from "./describe.ts";

export interface Fleet {
  /** Inside the transaction that changed something about the device. */
  describe(transaction: Database, deviceId: string): Promise<void>;
  /** What is published or signed has changed: all devices are described again. */
  refresh(): void;
  /** Every device is described as things stand. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** So many devices in one transaction: some milliseconds, then others have their turn. */
const AT_ONCE = 100;
const LOOK_EVERY_MS = 60_000;
/** More rollouts of one product than anybody looks at; older ones are finished. */
const KEPT_ROLLOUTS = 20;

export function openFleet(deps: {
  readonly db: Database;
  readonly policyOf: PolicyOf;
  readonly now: () => number;
  readonly log: Pick<Logger, "info" | "error">;
  /** Called when devices have changed without a report of theirs. */
  readonly changed: () => void;
}): Fleet {
  const { db, now, log, changed } = deps;
  let shown = readShown(deps);
  let work: Promise<void> = Promise.resolve();
  let isStopped = false;
  const inTurn = (what: () => Promise<void>): void => {
    work = work.then(what).catch((error: unknown) => {
      log.error({ err: error }, "how devices stand could not be worked out again");
    });
  };
  const describeThese = async (ids: readonly string[]): Promise<void> => {
    const current = (await shown).shown;
    await db.transaction().execute(async (transaction) => {
      for (const id of ids) await describeOne(transaction, id, current, now());
    });
    // Other requests are answered in between.
    await breathe();
  };
  const describeAll = async (): Promise<void> => {
    const { digest } = await shown;
    if ((await settingOf(db)) === digest) return;
    for (let after = ""; !isStopped; ) {
      const ids = await idsAfter(db, after);
      const last = ids.at(-1);
      if (last === undefined) {
        await setSetting(db, digest);
        changed();
        return;
      }
      after = last;
      await describeThese(ids);
    }
  };
  const passTime = async (): Promise<void> => {
    for (const state of ["up-to-date", "behind", "failing"]) {
      for (;;) {
        const ids = isStopped ? [] : await silentSince(db, state, now() - SILENT_AFTER_MS);
        if (ids.length === 0) break;
        await describeThese(ids);
        changed();
      }
    }
    if (!isStopped) await recordCompliance(db, now());
  };
  const look = (): void => inTurn(passTime);
  inTurn(describeAll);
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    describe: async (transaction, deviceId) =>
      describeOne(transaction, deviceId, (await shown).shown, now()),
    refresh() {
      shown = readShown(deps);
      inTurn(describeAll);
      look();
    },
    settled: () => work,
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await work;
    },
  };
}

async function describeOne(
  transaction: Database,
  deviceId: string,
  shown: Shown,
  nowMs: number,
): Promise<void> {
  const row = await transaction
    .selectFrom("device")
    .selectAll()
    .where("device_id", "=", deviceId)
    .executeTakeFirst();
  if (row === undefined) return;
  const failures = await transaction
    .selectFrom("device_update")
    .innerJoin(
      "published_update",
      "published_update.manifest_sha256",
      "device_update.manifest_sha256",
    )
    .select(["device_update.product", "device_update.version", "device_update.error_code"])
    .where("device_update.device_id", "=", deviceId)
    .where("error_code", "is not", null)
    .where("retired", "=", 0)
    .execute();
  const causes = await transaction
    .selectFrom("device_cause")
    .select("cause")
    .where("device_id", "=", deviceId)
    .execute();
  const lastSeenMs = row.last_seen_ms ?? undefined;
  const { state, error, labels } = describe(
    {
      deviceId,
      lastSeenMs,
      facts: Facts.parse(JSON.parse(row.facts)),
      products: z.array(InstalledProduct).parse(JSON.parse(row.products)),
      followed:
        row.offering === null ? undefined : OfferInputs.parse(JSON.parse(row.offering)).followed,
      failures: failures.map(({ product, version, error_code: code }) => ({
        product,
        version,
        code: code ?? "",
      })),
      checkError: row.check_error ?? undefined,
      causes: causes.map(({ cause }) => cause),
    },
    shown,
    nowMs,
  );
  const nameKey = row.name.toLowerCase();
  const seenMs = lastSeenMs ?? 0;
  const before = z.array(z.string()).parse(JSON.parse(row.labels));
  await writeLabels(
    transaction,
    { deviceId, nameKey: row.name_key, labels: before },
    { deviceId, nameKey, labels, seenMs },
  );
  await transaction
    .updateTable("device")
    .set({ state, error_code: error ?? null, name_key: nameKey, labels: JSON.stringify(labels) })
    .where("device_id", "=", deviceId)
    .execute();
}

/** `digest`: the same for what leads to the same labels. */
async function readShown({
  db,
  policyOf,
  log,
}: {
  readonly db: Database;
  readonly policyOf: PolicyOf;
  readonly log: Pick<Logger, "error">;
}): Promise<{ shown: Shown; digest: string }> {
  const newest = new Map<string, Version>();
  const channels = new Set<Channel>();
  for (const { channel, product, version, retired } of await listUpdates(db)) {
    channels.add(channel);
    const key = `${channel}/${product}`;
    const before = newest.get(key);
    if (!retired && (before === undefined || compareVersions(before, version) < 0))
      newest.set(key, version);
  }
  const rolloutsOf = (channel: Channel): readonly Rollout[] => {
    try {
      return policyOf(channel)?.rollouts ?? [];
    } catch (error) {
      // Devices' reports are taken also when a policy is damaged or its channel has gone.
      log.error({ err: error, channel }, "the rollouts of a channel cannot be read");
      return [];
    }
  };
  const rollouts = new Map(
    [...channels].map((channel) => [
      channel,
      rolloutsOf(channel)
        .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))
        .slice(0, KEPT_ROLLOUTS),
    ]),
  );
  const said = JSON.stringify([LABELLING, [...newest], [...rollouts]]);
  return {
    shown: {
      newest: (channel: Channel, product: Product) => newest.get(`${channel}/${product}`),
      rollouts: (channel: Channel) => rollouts.get(channel) ?? [],
    },
    digest: createHash("sha256").update(said).digest("hex"),
  };
}

/** Another one when `describe.ts` describes otherwise than before: then all is described again. */
const LABELLING = 1;
const SETTING = "fleet-described-for";

async function settingOf(db: Database): Promise<string | undefined> {
  const row = await db
    .selectFrom("setting")
    .select("value")
    .where("name", "=", SETTING)
    .executeTakeFirst();
  return row?.value;
}

async function setSetting(db: Database, value: string): Promise<void> {
  await db
    .insertInto("setting")
    .values({ name: SETTING, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
    .execute();
}

async function idsAfter(db: Database, after: string): Promise<string[]> {
  const rows = await db
    .selectFrom("device")
    .select("device_id")
    .where("device_id", ">", after)
    .orderBy("device_id")
    .limit(AT_ONCE)
    .execute();
  return rows.map((row) => row.device_id);
}

async function silentSince(db: Database, state: string, sinceMs: number): Promise<string[]> {
  const rows = await db
    .selectFrom("device_label")
    .select("device_id")
    .where("label", "=", label.state(state))
    .where("seen_ms", "<=", sinceMs)
    .orderBy("seen_ms")
    .limit(AT_ONCE)
    .execute();
  return rows.map((row) => row.device_id);
}
