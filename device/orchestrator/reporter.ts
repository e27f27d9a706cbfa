/**
 * Sends what the queue holds, signed by the device's key, in batches that may arrive twice.
 *
 * Nothing leaves the queue before the server's receipt names it. A server that is away changes
 * nothing on this machine: reports wait, with backoff, and installs go on.
 */
import { createHash, type KeyObject, randomUUID } from "node:crypto";
import { z } from "zod";
import { serverUrl } from "../../content/metadataSource.ts";
import { retryMs } from "../../core/schedule.ts";
import { type DeviceConfig, type ReportBatch, ReportReceipt } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { signRequest } from "../../protocol/requestSignature.ts";
import type { DiagnosisReport } from "../../protocol/troubleshooting/report.ts";
import { postJson } from "../postJson.ts";
import type { OrchestratorDatabase } from "./database.ts";
import type { EventQueue } from "./eventQueue.ts";
import { askedWaitMs } from "./retryAfter.ts";

const MAX_BATCH_EVENTS = 500;
const MAX_BATCH_BYTES = 256 * 1024;
/** One round ends here even if more waits; the next one goes on. */
const MAX_BATCHES = 50;

export interface Reporter {
  /** Sends what waits, unless it is too soon after a failure. Never throws; says how it went. */
  send(input: ReportInput): Promise<"sent" | "nothing" | "waiting" | UpbeatError>;
}

export interface ReportInput {
  readonly config: DeviceConfig;
  readonly key: () => KeyObject;
  readonly inventory: NonNullable<ReportBatch["inventory"]> | undefined;
  /** Undefined: the server is to know of none. */
  readonly diagnosis: DiagnosisReport | undefined;
}

export function reporter(
  database: OrchestratorDatabase,
  queue: EventQueue,
  clock: { now: () => number; random: () => number },
): Reporter {
  let failures = 0;
  let notBeforeMs = 0;
  let batchEvents = MAX_BATCH_EVENTS;

  const sendAll = async (input: ReportInput): Promise<"sent" | "nothing"> => {
    for (let round = 0; round < MAX_BATCHES; round++) {
      const inventory = changedInventory(database, input, clock.now());
      const diagnosis = changedDiagnosis(database, input);
      const hasMore = inventory !== undefined || diagnosis !== undefined || round > 0;
      const isWorthIt = hasMore || queue.isDue(clock.now());
      const events = isWorthIt ? queue.oldest(batchEvents, MAX_BATCH_BYTES) : [];
      if (events.length === 0 && inventory === undefined && diagnosis === undefined)
        return round === 0 ? "nothing" : "sent";
      const receipt = await post(input, clock.now(), {
        batchId: randomUUID(),
        sentMs: clock.now(),
        ...(inventory === undefined ? {} : { inventory: inventory.content }),
        events,
        ...(diagnosis === undefined ? {} : { diagnosis: diagnosis.content }),
      });
      if (diagnosis !== undefined) database.remember("reportedDiagnosis", diagnosis.digest);
      if (inventory !== undefined) database.remember("reported", inventory.reported);
      const sent = new Set(events.map((event) => event.id));
      const accepted = receipt.accepted.filter((id) => sent.has(id));
      if (accepted.length === 0 && events.length > 0) {
        const object = input.config.serverUrl;
        const detail = `it accepted none of ${events.length} events`;
        throw new UpbeatError("UPB-DEVICE-BAD-ANSWER", { object, detail });
      }
      queue.remove(accepted);
      batchEvents = MAX_BATCH_EVENTS;
    }
    return "sent";
  };

  return {
    async send(input) {
      if (clock.now() < notBeforeMs) return "waiting";
      try {
        const outcome = await sendAll(input);
        failures = 0;
        return outcome;
      } catch (error) {
        failures += 1;
        notBeforeMs = retryMs(clock.now(), failures, clock.random(), askedWaitMs(error));
        // Whatever the server dislikes about a batch, a smaller one may pass, down to one event.
        batchEvents = Math.max(1, Math.floor(batchEvents / 2));
        if (error instanceof UpbeatError) return error;
        const object = error instanceof Error ? error.message : String(error);
        return new UpbeatError("UPB-INTERNAL-BUG", { object, cause: error });
      }
    },
  };
}

/** People come and go; the server is not told each time. */
const WAITING_EVERY_MS = 3_600_000;

const Reported = z.object({ digest: z.string(), waiting: z.string(), atMs: z.int() });

/** Undefined: the server has this one. */
function changedInventory(
  database: OrchestratorDatabase,
  { config, inventory }: ReportInput,
  nowMs: number,
) {
  if (inventory === undefined) return undefined;
  const { waiting, ...offering } = inventory.offering ?? {};
  const { serverUrl, deviceId } = config;
  const reported: z.infer<typeof Reported> = {
    digest: digestOf([serverUrl, deviceId, { ...inventory, offering }]),
    waiting: digestOf(waiting?.updates ?? []),
    atMs: nowMs,
  };
  const before = database.recall("reported", Reported);
  const isSame = before?.digest === reported.digest && before.waiting === reported.waiting;
  const isNewsLater =
    before?.digest === reported.digest && Math.abs(nowMs - before.atMs) < WAITING_EVERY_MS;
  return isSame || isNewsLater ? undefined : { reported, content: inventory };
}

/** Undefined: the server has this one, or was never told any. */
function changedDiagnosis(database: OrchestratorDatabase, { config, diagnosis }: ReportInput) {
  const before = database.recall("reportedDiagnosis", z.string());
  if (before === undefined && diagnosis === undefined) return undefined;
  const digest = digestOf([config.serverUrl, config.deviceId, diagnosis ?? null]);
  return before === digest ? undefined : { digest, content: diagnosis ?? null };
}

const digestOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

async function post(
  { config, key }: ReportInput,
  nowMs: number,
  batch: ReportBatch,
): Promise<z.infer<typeof ReportReceipt>> {
  const url = serverUrl(new URL(config.serverUrl), `api/v1/devices/${config.deviceId}/reports`);
  const body = Buffer.from(JSON.stringify(batch));
  const headers = signRequest({
    method: "POST",
    url: url.href,
    body,
    keyId: config.deviceId,
    privateKey: key(),
    nowMs,
  });
  return await postJson({ url, body, headers, answer: ReportReceipt });
}
