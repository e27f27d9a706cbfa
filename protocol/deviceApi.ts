/**
 * What a device says to the server. Everything but enrolment is signed by the device's own key
 * (`requestSignature.ts`).
 *
 *   POST /api/v1/devices/enrol          EnrolRequest  -> EnrolResponse
 *   POST /api/v1/devices/:id/reports    ReportBatch   -> ReportReceipt   may arrive twice
 *   GET  /metadata/NAME  /targets/NAME  /content/AB/SHA256               static, public, cacheable
 */
import { z } from "zod";
import { DecisionRecord } from "./decisionLog.ts";
import { Waiting } from "./decisions.ts";
import { ErrorReport } from "./errors/error.ts";
import { Channel, DeviceId, Product, Sha256, Version } from "./ids.ts";
import { AdminSettings, UserSettings } from "./settings.ts";
import { TransferSettings } from "./transfer.ts";
import { DiagnosisReport } from "./troubleshooting/report.ts";
import { InstalledProduct, UPDATE_STATES } from "./updateServiceApi.ts";

export const EnrolRequest = z.strictObject({
  /** The secret part of the one-time token. */
  token: z.string().min(16).max(200),
  /** Ed25519 public key, raw 32 bytes in base64url. */
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  name: z.string().min(1).max(200),
});
export type EnrolRequest = z.infer<typeof EnrolRequest>;

export const EnrolResponse = z.object({ deviceId: DeviceId });
export type EnrolResponse = z.infer<typeof EnrolResponse>;

/** Facts by dotted name, e.g. `os.id`, `memory.totalBytes`, `product.kiosk.version`. */
export const Facts = z.record(
  z.string().max(200),
  z.union([z.string().max(4_000), z.number(), z.boolean()]),
);
export type Facts = z.infer<typeof Facts>;

export const DeviceEvent = z.discriminatedUnion("kind", [
  z.object({
    /** Made once on the device; the server counts an id once. */
    id: z.uuid(),
    atMs: z.int(),
    kind: z.literal("update-state"),
    product: Product,
    version: Version,
    manifestSha256: Sha256,
    state: z.enum(UPDATE_STATES),
    error: ErrorReport.optional(),
  }),
  z.object({
    id: z.uuid(),
    atMs: z.int(),
    kind: z.literal("check"),
    outcome: z.enum(["unchanged", "evaluated", "failed"]),
    error: ErrorReport.optional(),
  }),
  z.object({
    /** That of the record on the machine, where it can be decided again. */
    id: z.uuid(),
    atMs: z.int(),
    kind: z.literal("decision"),
    about: DecisionRecord.shape.kind,
    /** One plain sentence. */
    summary: z.string().max(2_000),
  }),
]);
export type DeviceEvent = z.infer<typeof DeviceEvent>;

const FollowedProduct = z.strictObject({ product: Product, channel: Channel });

/** What an update that is offered, or the restart that it needs, waits for. */
export const WaitingUpdate = z.object({
  product: Product,
  version: Version,
  waiting: z.array(Waiting).max(20),
});
export type WaitingUpdate = z.infer<typeof WaitingUpdate>;

/**
 * What decides about offers on the machine besides facts and products, so that the server gives the
 * same answer. Settings of a later version are dropped, not refused: reports must arrive.
 */
export const OfferInputs = z.object({
  followed: z.array(FollowedProduct).max(1_000),
  /** The machine's own; the first is the strongest of its kind. */
  layers: z
    .array(
      z.discriminatedUnion("layer", [
        z.object({ layer: z.literal("admin"), values: z.object(AdminSettings.shape) }),
        z.object({ layer: z.literal("user"), values: z.object(UserSettings.shape) }),
      ]),
    )
    .max(20),
  /** Manifests of updates that were rolled back there. */
  rolledBack: z.array(Sha256).max(1_000),
  /** Updates that failed there and are not tried now. */
  held: z
    .array(
      z.object({
        manifestSha256: Sha256,
        failures: z.int().positive(),
        untilMs: z.int().optional(),
        because: z.string().max(2_000),
      }),
    )
    .max(1_000),
  /** As it was when it was reported: nobody else knows who sits at the machine. */
  waiting: z.object({ atMs: z.int(), updates: z.array(WaitingUpdate).max(100) }).optional(),
});
export type OfferInputs = z.infer<typeof OfferInputs>;

/** What a later version of a device adds is dropped, not refused: reports must arrive. */
export const ReportBatch = z.object({
  batchId: z.uuid(),
  sentMs: z.int(),
  inventory: z
    .object({
      facts: Facts,
      products: z.array(InstalledProduct),
      offering: OfferInputs.optional(),
    })
    .optional(),
  events: z.array(DeviceEvent).max(1_000),
  /** What the troubleshooter found last; null: the server must forget what it was told before. */
  diagnosis: DiagnosisReport.nullable().optional(),
});
export type ReportBatch = z.infer<typeof ReportBatch>;

export const ReportReceipt = z.object({ accepted: z.array(z.uuid()) });
export type ReportReceipt = z.infer<typeof ReportReceipt>;

/**
 * `upbeat-token.SECRET.FINGERPRINT`: the one-time secret, and the SHA-256 of the first root metadata,
 * so that the device need not believe the first server that answers.
 */
export const EnrolToken = z
  .string()
  .regex(/^upbeat-token\.[A-Za-z0-9_-]{22,}\.[0-9a-f]{64}$/)
  .transform((text) => {
    const [, secret = "", fingerprint = ""] = text.split(".");
    return { secret, rootSha256: Sha256.parse(fingerprint) };
  });

/** `etc/upbeat/device.json`, written by `upbeat device enrol`, owned by root. */
export const DeviceConfig = z.strictObject({
  serverUrl: z.url(),
  deviceId: DeviceId,
  name: z.string(),
  products: z.array(FollowedProduct),
  transfer: TransferSettings.optional(),
});
export type DeviceConfig = z.infer<typeof DeviceConfig>;
