/**
 * The server's JSON routes: one table from which requests are checked, answers are typed and the
 * OpenAPI page is printed. Handlers stand in `adminHandlers.ts` and `deviceHandlers.ts`.
 */
import { z } from "zod";
import {
  CatalogueDetail,
  CatalogueEntry,
  FILE_PAGE_MAX,
  FilePage,
  ProductLine,
} from "../../protocol/admin/catalogue.ts";
import { ConsoleSession, SessionRequest } from "../../protocol/admin/console.ts";
import {
  DeviceStanding,
  DeviceUpdate,
  FleetFacets,
  FleetPage,
  FleetQuery,
  TIMELINE_PAGE_MAX,
  TimelinePage,
} from "../../protocol/admin/fleet.ts";
import { COMPLIANCE_MAX_DAYS, ComplianceDay, Overview } from "../../protocol/admin/overview.ts";
import { ListedRollout, Restrictions, RolloutDetail } from "../../protocol/admin/rollouts.ts";
import { TrustState } from "../../protocol/admin/trust.ts";
import {
  Audience,
  AudienceDevice,
  ChannelPolicyAnswer,
  DeviceDetail,
  DeviceSummary,
  FleetCause,
  InstalledVersions,
  PublishedUpdate,
  RepositoryState,
  RepositoryUpdate,
  RolloutReport,
  SignerKeys,
  UpdateStorage,
} from "../../protocol/adminApi.ts";
import { Explanation } from "../../protocol/decisions.ts";
import {
  EnrolRequest,
  EnrolResponse,
  ReportBatch,
  ReportReceipt,
} from "../../protocol/deviceApi.ts";
import {
  LockGroup,
  LockGroupName,
  LockGroupSettings,
  LockHolder,
  LockRequest,
} from "../../protocol/fleetLock.ts";
import { Channel, DeviceId, Product, Version } from "../../protocol/ids.ts";
import { PolicyEntryId } from "../../protocol/offerPolicy.ts";

export interface Route<Params, Body, Answer> {
  readonly method: "GET" | "POST" | "DELETE";
  /** Parameters as `:name`; those of `params` that it does not name are the query's. */
  readonly path: string;
  readonly summary: string;
  /** admin: the administration token, or a session of the console; device: signed by its key. */
  readonly auth: "admin" | "device" | "none";
  readonly params: z.ZodType<Params>;
  readonly body: z.ZodType<Body>;
  readonly maxBodyBytes: number;
  readonly answer: z.ZodType<Answer>;
}

const KIB = 1024;
const NO_PARAMS = z.object({});
const NO_BODY = z.undefined();

/** Security reference, section 6. A repository update carries whole manifests, and an admin's token. */
const BODY = {
  small: 4 * KIB,
  json: 256 * KIB,
  report: KIB * KIB,
  repository: 256 * KIB * KIB,
} as const;

const get = <Params, Answer>(
  path: string,
  summary: string,
  answer: z.ZodType<Answer>,
  params: z.ZodType<Params>,
): Route<Params, undefined, Answer> => ({
  method: "GET",
  path,
  summary,
  auth: "admin",
  params,
  body: NO_BODY,
  maxBodyBytes: 0,
  answer,
});

const post = <Params, Body, Answer>(
  route: Omit<Route<Params, Body, Answer>, "method">,
): Route<Params, Body, Answer> => ({ ...route, method: "POST" });

export const ROUTES = {
  signerKeys: get("/api/v1/signer", "Public halves of the online keys", SignerKeys, NO_PARAMS),
  repositoryState: get(
    "/api/v1/repository",
    "Versions and expiry of what is published",
    RepositoryState,
    NO_PARAMS,
  ),
  publish: post({
    path: "/api/v1/repository",
    summary: "Publish signed metadata and its targets: all of it or nothing",
    auth: "admin",
    params: NO_PARAMS,
    body: RepositoryUpdate,
    maxBodyBytes: BODY.repository,
    answer: RepositoryState,
  }),
  updates: get(
    "/api/v1/updates",
    "Published updates, newest first",
    z.object({ updates: z.array(PublishedUpdate) }),
    NO_PARAMS,
  ),
  policy: get(
    "/api/v1/channels/:channel/policy",
    "The signed offer policy of a channel",
    ChannelPolicyAnswer,
    z.object({ channel: Channel }),
  ),
  rollouts: get(
    "/api/v1/channels/:channel/rollouts",
    "The rollouts of a channel, and how far their devices have come",
    z.object({ rollouts: z.array(RolloutReport) }),
    z.object({ channel: Channel }),
  ),
  storage: get(
    "/api/v1/updates/:product/:version/storage",
    "What lies on the server for an update, in each channel that offers it",
    z.object({ storage: z.array(UpdateStorage) }),
    z.object({ product: Product, version: Version }),
  ),
  installed: get(
    "/api/v1/products/:product/installed",
    "How many devices report each version of a product",
    InstalledVersions,
    z.object({ product: Product }),
  ),
  devices: get(
    "/api/v1/devices",
    "Enrolled devices, by name",
    z.object({ devices: z.array(DeviceSummary) }),
    NO_PARAMS,
  ),
  device: get(
    "/api/v1/devices/:id",
    "One device, its facts and its newest events",
    DeviceDetail,
    z.object({ id: DeviceId }),
  ),
  causes: get(
    "/api/v1/causes",
    "What is wrong on how many devices, of those that tell what their troubleshooter found",
    z.object({ causes: z.array(FleetCause) }),
    NO_PARAMS,
  ),
  why: get(
    "/api/v1/devices/:id/why/:product",
    "Why a device is offered an update of a product or not, as the device itself would say",
    Explanation,
    z.object({ id: DeviceId, product: Product }),
  ),
  whyVersion: get(
    "/api/v1/devices/:id/why/:product/:version",
    "Why a device is offered this very update or not",
    Explanation,
    z.object({ id: DeviceId, product: Product, version: Version }),
  ),
  audience: get(
    "/api/v1/updates/:product/:version/audience",
    "Who would get an update, and when",
    Audience,
    z.object({ product: Product, version: Version }),
  ),
  enrolmentToken: post({
    path: "/api/v1/enrolment-tokens",
    summary: "Make a one-time token with which one device can enrol within 7 days",
    auth: "admin",
    params: NO_PARAMS,
    body: z.strictObject({}),
    maxBodyBytes: BODY.json,
    answer: z.object({ token: z.string() }),
  }),
  signIn: post({
    path: "/api/v1/session",
    summary: "Sign a browser in with the administration token: sets the session's cookie",
    auth: "none",
    params: NO_PARAMS,
    body: SessionRequest,
    maxBodyBytes: BODY.small,
    answer: ConsoleSession,
  }),
  session: get("/api/v1/session", "Whether one is signed in", ConsoleSession, NO_PARAMS),
  signOut: {
    ...get("/api/v1/session", "End the session", z.object({}), NO_PARAMS),
    method: "DELETE" as const,
  },
  overview: get("/api/v1/overview", "How the fleet stands", Overview, NO_PARAMS),
  compliance: get(
    "/api/v1/compliance",
    "How the fleet stood at the end of each day",
    z.object({ days: z.array(ComplianceDay) }),
    z.object({ days: z.coerce.number().int().min(1).max(COMPLIANCE_MAX_DAYS).default(30) }),
  ),
  catalogue: get(
    "/api/v1/catalogue",
    "Published updates, newest first, with how many devices need and have each",
    z.object({ updates: z.array(CatalogueEntry) }),
    NO_PARAMS,
  ),
  catalogueDetail: get(
    "/api/v1/catalogue/:channel/:product/:version",
    "One update: its manifest, what machines fetch, who signed it",
    CatalogueDetail,
    z.object({ channel: Channel, product: Product, version: Version }),
  ),
  catalogueFiles: get(
    "/api/v1/catalogue/:channel/:product/:version/files",
    "The files of one update, by path",
    FilePage,
    z.object({
      channel: Channel,
      product: Product,
      version: Version,
      after: z.string().max(4_096).optional(),
      limit: z.coerce.number().int().min(1).max(FILE_PAGE_MAX).default(100),
    }),
  ),
  products: get(
    "/api/v1/products",
    "Products by channel: the newest version, and which versions devices have",
    z.object({ products: z.array(ProductLine) }),
    NO_PARAMS,
  ),
  allRollouts: get(
    "/api/v1/rollouts",
    "The rollouts of all channels, newest first",
    z.object({ rollouts: z.array(ListedRollout) }),
    NO_PARAMS,
  ),
  rollout: get(
    "/api/v1/rollouts/:channel/:rollout",
    "One rollout: its rings, its plan, and how far devices have come over time",
    RolloutDetail,
    z.object({ channel: Channel, rollout: PolicyEntryId }),
  ),
  restrictions: get(
    "/api/v1/restrictions",
    "Holds, approvals, floors and pins of every channel",
    Restrictions,
    NO_PARAMS,
  ),
  fleet: get(
    "/api/v1/fleet",
    "Devices: searched, filtered, sorted, by the page",
    FleetPage,
    FleetQuery,
  ),
  fleetFacets: get(
    "/api/v1/fleet/facets",
    "What devices can be filtered by, with how many there are of each",
    FleetFacets,
    NO_PARAMS,
  ),
  standing: get(
    "/api/v1/devices/:id/standing",
    "One device: how it stands, its facts and its effective settings",
    DeviceStanding,
    z.object({ id: DeviceId }),
  ),
  timeline: get(
    "/api/v1/devices/:id/timeline",
    "What happened on a device, newest first",
    TimelinePage,
    z.object({
      id: DeviceId,
      before: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(TIMELINE_PAGE_MAX).default(50),
    }),
  ),
  deviceUpdates: get(
    "/api/v1/devices/:id/updates",
    "Each update of what a device follows: offered or why not, and how far it is there",
    z.object({ updates: z.array(DeviceUpdate) }),
    z.object({ id: DeviceId }),
  ),
  when: get(
    "/api/v1/devices/:id/when/:product/:version",
    "Whether and when one device would get an update",
    AudienceDevice,
    z.object({ id: DeviceId, product: Product, version: Version }),
  ),
  trust: get("/api/v1/trust", "Who may sign what, and until when it counts", TrustState, NO_PARAMS),
  lockGroups: get(
    "/api/v1/fleet-locks",
    "FleetLock groups and who holds their slots",
    z.object({ groups: z.array(LockGroup) }),
    NO_PARAMS,
  ),
  setLockGroup: post({
    path: "/api/v1/fleet-locks/:group",
    summary: "Make a FleetLock group, or change how many of its machines may restart at a time",
    auth: "admin",
    params: z.object({ group: LockGroupName }),
    body: LockGroupSettings,
    maxBodyBytes: BODY.json,
    answer: LockGroup,
  }),
  releaseLock: post({
    path: "/api/v1/fleet-locks/:group/release",
    summary: "Take the slot away from a machine that does not come back",
    auth: "admin",
    params: z.object({ group: LockGroupName }),
    body: z.strictObject({ holder: LockHolder }),
    maxBodyBytes: BODY.json,
    answer: LockGroup,
  }),
  preReboot: post({
    path: "/v1/pre-reboot",
    summary: "FleetLock: take a slot before a restart; a device of this server signs",
    auth: "none",
    params: NO_PARAMS,
    body: LockRequest,
    maxBodyBytes: BODY.small,
    answer: z.object({}),
  }),
  steadyState: post({
    path: "/v1/steady-state",
    summary: "FleetLock: free the slot after the restart; a device of this server signs",
    auth: "none",
    params: NO_PARAMS,
    body: LockRequest,
    maxBodyBytes: BODY.small,
    answer: z.object({}),
  }),
  enrol: post({
    path: "/api/v1/devices/enrol",
    summary: "Enrol a device with a one-time token and its public key",
    auth: "none",
    params: NO_PARAMS,
    body: EnrolRequest,
    maxBodyBytes: BODY.json,
    answer: EnrolResponse,
  }),
  report: post({
    path: "/api/v1/devices/:id/reports",
    summary: "Inventory and events of a device; may arrive twice",
    auth: "device",
    params: z.object({ id: DeviceId }),
    body: ReportBatch,
    maxBodyBytes: BODY.report,
    answer: ReportReceipt,
  }),
};
