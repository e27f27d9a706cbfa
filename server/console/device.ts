/** One device in all its detail. Errors: UPB-SERVER-NOT-FOUND, UPB-SERVER-NOT-REPORTED. */
import { z } from "zod";
import type { DeviceStanding, DeviceUpdate, TimelinePage } from "../../protocol/admin/fleet.ts";
import { DeviceEvent, Facts } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, type DeviceId } from "../../protocol/ids.ts";
import { PolicyEntryId } from "../../protocol/offerPolicy.ts";
import { UPDATE_STATES } from "../../protocol/updateServiceApi.ts";
import type { Preview } from "../preview/preview.ts";
import type { Database } from "../storage/database.ts";
import { diagnosisOf } from "../storage/diagnoses.ts";
import { fleetDevice, namedError } from "../storage/fleetDevices.ts";
import { offeringOf } from "../storage/offerings.ts";

export async function deviceStanding(
  db: Database,
  preview: Preview,
  id: DeviceId,
): Promise<DeviceStanding> {
  const row = await db
    .selectFrom("device")
    .selectAll()
    .where("device_id", "=", id)
    .executeTakeFirst();
  const reported = await offeringOf(db, id);
  if (row === undefined || reported === undefined)
    throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `device ${id}` });
  const labels = z.array(z.string()).parse(JSON.parse(row.labels));
  const diagnosis = diagnosisOf(row);
  return {
    ...fleetDevice(row),
    facts: Facts.parse(JSON.parse(row.facts)),
    followed: [...(reported.now?.followed ?? [])],
    ...(reported.now === undefined ? {} : { policy: await preview.policy(reported.now) }),
    rings: labels.flatMap((label) => {
      if (!label.startsWith("ring:")) return [];
      const [channel, rollout, ring] = label.slice("ring:".length).split("/");
      return [
        {
          channel: Channel.parse(channel),
          rollout: PolicyEntryId.parse(rollout),
          ring: PolicyEntryId.parse(ring),
        },
      ];
    }),
    ...(diagnosis === undefined ? {} : { diagnosis }),
  };
}

/** What a device follows, as the device itself would decide, and how far each update is there. */
export async function deviceUpdates(
  db: Database,
  preview: Preview,
  id: DeviceId,
): Promise<DeviceUpdate[]> {
  const decided = await preview.decided(id);
  const rows = await db
    .selectFrom("device_update")
    .select(["manifest_sha256", "state", "state_ms", "error_code"])
    .where("device_id", "=", id)
    .execute();
  const progress = new Map(rows.map((row) => [row.manifest_sha256, row]));
  return decided.map(({ update, refusal }) => {
    const { product, version, manifestSha256 } = update.id;
    const { channel, title, classification } = update.manifest;
    const reported = progress.get(manifestSha256);
    const state = UPDATE_STATES.find((it) => it === reported?.state);
    const error = reported?.error_code ?? undefined;
    return {
      product,
      version,
      channel,
      title,
      classification,
      manifestSha256,
      outcome: refusal === undefined ? "offered" : "not-offered",
      ...(refusal === undefined ? {} : { refusal }),
      ...(state === undefined ? {} : { state, stateMs: Number(reported?.state_ms) }),
      ...(error === undefined ? {} : { error: namedError(error) }),
    };
  });
}

const Before = z.tuple([z.number(), z.string()]);

/** Newest first. `before`: `next` of the page before. */
export async function deviceTimeline(
  db: Database,
  id: DeviceId,
  before: string | undefined,
  limit: number,
): Promise<TimelinePage> {
  const place = before === undefined ? undefined : placeOf(before);
  const rows = await db
    .selectFrom("device_event")
    .select(["event_id", "at_ms", "received_ms", "event"])
    .where("device_id", "=", id)
    .$if(place !== undefined, (query) =>
      query.where(({ eb, or, and }) =>
        or([
          eb("at_ms", "<", place?.[0] ?? 0),
          and([eb("at_ms", "=", place?.[0] ?? 0), eb("event_id", ">", place?.[1] ?? "")]),
        ]),
      ),
    )
    .orderBy("at_ms", "desc")
    .orderBy("event_id")
    .limit(limit + 1)
    .execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    events: shown.map((row) => ({
      receivedMs: Number(row.received_ms),
      event: DeviceEvent.parse(JSON.parse(row.event)),
    })),
    ...(rows.length > limit && last !== undefined
      ? { next: nameOf(Number(last.at_ms), last.event_id) }
      : {}),
  };
}

const nameOf = (...place: z.infer<typeof Before>): string =>
  Buffer.from(JSON.stringify(place)).toString("base64url");

function placeOf(cursor: string): z.infer<typeof Before> {
  try {
    return Before.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
  } catch (cause) {
    throw new UpbeatError("UPB-SERVER-BAD-REQUEST", { object: "the place in the timeline", cause });
  }
}
