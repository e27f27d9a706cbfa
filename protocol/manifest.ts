/**
 * The update manifest: the one signed description of an update (a TUF target).
 *
 * Unknown fields are dropped, not refused, so that an older device can read a newer minor version
 * (python-tuf ADR-0008 explains why an updater must); an unknown major version is refused by
 * `readManifest`. Sizes are bytes, times are milliseconds or RFC 3339 in UTC.
 */
import { z } from "zod";
import { PackedDelivery } from "./delivery.ts";
import { UpbeatError } from "./errors/error.ts";
import { Channel, Product, Sha256, Version } from "./ids.ts";
import { PayloadRef } from "./payload.ts";

export const MANIFEST_MAJOR = 1;
/** Signed lengths may be smaller, never larger: bounds on what a device will ever read. */
export const MANIFEST_MAX_BYTES = 1024 * 1024;
/** Some 300 bytes for each version. */
export const INDEX_MAX_BYTES = 32 * 1024 * 1024;

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** One condition on one device fact, e.g. `{ fact: "os.id", equals: "debian" }`. */
const FactRule = z.union([
  z.object({ fact: z.string(), equals: Scalar }),
  z.object({ fact: z.string(), oneOf: z.array(Scalar) }),
  z.object({ fact: z.string(), versionAtLeast: z.string() }),
  z.object({ fact: z.string(), versionBelow: z.string() }),
  z.object({ fact: z.string(), atLeast: z.number() }),
  z.object({ fact: z.string(), exists: z.boolean() }),
]);
export type FactRule = z.infer<typeof FactRule>;

/** A rule tree over device facts. Evaluated by `core/applicability.ts`. */
export type Rule = FactRule | { all: Rule[] } | { any: Rule[] } | { not: Rule };
export const Rule: z.ZodType<Rule> = z.lazy(() =>
  z.union([
    FactRule,
    z.object({ all: z.array(Rule) }),
    z.object({ any: z.array(Rule) }),
    z.object({ not: Rule }),
  ]),
);

export const HealthCheck = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("command"),
    /** Program and arguments, run without a shell in the folder of the new version. */
    command: z.array(z.string()).min(1),
    timeoutMs: z.int().positive().default(30_000),
    /** Further tries after the first. */
    retries: z.int().nonnegative().max(100).default(2),
    retryDelayMs: z.int().nonnegative().default(1_000),
  }),
  z.object({
    kind: z.literal("http"),
    /** Loopback only: what answers must be on this machine. */
    url: z.string().regex(/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/.*)?$/),
    expectStatus: z.int().default(200),
    timeoutMs: z.int().positive().default(30_000),
    retries: z.int().nonnegative().max(100).default(2),
    retryDelayMs: z.int().nonnegative().default(1_000),
  }),
]);
export type HealthCheck = z.infer<typeof HealthCheck>;

export const CLASSIFICATIONS = [
  "critical",
  "security",
  "update",
  "feature",
  "driver",
  "definition",
  "tool",
] as const;
export const SEVERITIES = ["critical", "important", "moderate", "low", "unspecified"] as const;

/** Which update a manifest refers to. Without `version`: any version of the product. */
const UpdateRef = z.object({ product: Product, version: Version.optional() });

export const UpdateManifest = z.object({
  /** `upbeat.manifest/MAJOR.MINOR` */
  schema: z.string().regex(/^upbeat\.manifest\/\d+\.\d+$/),
  product: Product,
  version: Version,
  channel: Channel,
  /**
   * software: carries payload · bundle: only children · detectoid: only an isInstalled rule,
   * used as a prerequisite · category: a detectoid that is always true.
   */
  kind: z.enum(["software", "bundle", "detectoid", "category"]).default("software"),
  title: z.string().min(1).max(200),
  description: z.string().max(10_000).default(""),
  classification: z.enum(CLASSIFICATIONS),
  severity: z.enum(SEVERITIES).default("unspecified"),
  releaseNotes: z.string().max(100_000).default(""),
  publishedAt: z.iso.datetime(),
  supersedes: z.array(UpdateRef).default([]),
  /** Every group must hold; a group holds when one of its updates is installed. */
  prerequisites: z.array(z.object({ anyOf: z.array(UpdateRef).min(1) })).default([]),
  /** Bundle children. */
  children: z.array(z.object({ product: Product, version: Version })).default([]),
  applicability: z
    .object({
      isInstalled: Rule.optional(),
      isSuperseded: Rule.optional(),
      isInstallable: Rule.optional(),
    })
    .default({}),
  /** Which handler under `device/update-service/handlers/` installs the payload. */
  handler: z.enum(["tree", "none"]),
  /** The list of its files; without it there is nothing to put anywhere. */
  payload: PayloadRef.optional(),
  restart: z.enum(["never", "canRequest", "always"]).default("never"),
  /** True when an install may ask a person something; never installed unattended. */
  userInput: z.boolean().default(false),
  /** True when it must be installed alone. */
  exclusive: z.boolean().default(false),
  /** Free space an install needs on top of the payload. */
  diskNeededBytes: z.int().nonnegative().default(0),
  /** Run after the switch and after a rollback, without a shell: e.g. restart a service. */
  serviceRestart: z.array(z.string()).min(1).optional(),
  healthCheck: HealthCheck.optional(),
  /** Install no later than this. Acted on by the orchestrator's schedule. */
  deadline: z.iso.datetime().optional(),
});
export type UpdateManifest = z.infer<typeof UpdateManifest>;

/**
 * Parses a manifest whose bytes are already verified.
 * Errors: UPB-MANIFEST-VERSION for an unknown major, UPB-MANIFEST-INVALID for anything else.
 */
export function readManifest(bytes: Uint8Array, object: string): UpdateManifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new UpbeatError("UPB-MANIFEST-INVALID", { object, detail: "it is not JSON", cause });
  }
  const schema = z.object({ schema: z.string() }).safeParse(json).data?.schema ?? "";
  const major = /^upbeat\.manifest\/(\d+)\./.exec(schema)?.[1];
  if (major !== undefined && Number(major) !== MANIFEST_MAJOR) {
    throw new UpbeatError("UPB-MANIFEST-VERSION", {
      object,
      detail: `expected major version ${MANIFEST_MAJOR}, found "${schema}"`,
    });
  }
  const parsed = UpdateManifest.safeParse(json);
  if (!parsed.success) {
    throw new UpbeatError("UPB-MANIFEST-INVALID", {
      object,
      detail: z.prettifyError(parsed.error),
    });
  }
  return parsed.data;
}

/** The index of one product in one channel: which updates there are. A TUF target itself. */
export const ProductIndex = z.object({
  schema: z.literal("upbeat.index/1"),
  product: Product,
  channel: Channel,
  updates: z.array(
    z.object({
      version: Version,
      manifestSha256: Sha256,
      manifestSizeBytes: z.int().nonnegative(),
      publishedAt: z.iso.datetime(),
      /** How its bytes can be had (`delivery.ts`). It may change; the update does not. */
      delivery: PackedDelivery.optional(),
    }),
  ),
});
export type ProductIndex = z.infer<typeof ProductIndex>;
