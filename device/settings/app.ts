/** The HTTP side of the Settings page's process: `protocol/settingsPageApi.ts` and the page itself. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Pages } from "../../content/browser/builtPages.ts";
import { securityHeaders } from "../../content/browser/pageSafety.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product, Version } from "../../protocol/ids.ts";
import { ChangeRequest, SettingsChange } from "../../protocol/orchestratorApi.ts";
import { RestartWish } from "../../protocol/restartWishes.ts";
import { ServiceAction, ServiceName } from "../../protocol/servicesApi.ts";
import {
  type Access,
  includesAccess,
  PolicyChange,
  type Session,
  SessionRequest,
} from "../../protocol/settingsPageApi.ts";
import {
  actOnService,
  changeSettings,
  deviceHistory,
  effectivePolicy,
  explainUpdate,
  requestChange,
  serviceLogs,
  wishRestart,
} from "../deviceCalls.ts";
import { checked, localApi } from "../localServer.ts";
import type { DevicePaths } from "../paths.ts";
import { changeAdminSettings } from "./adminSettings.ts";
import { mustComeFromOurPage, mustNameUs, sessionHalves } from "./guard.ts";
import type { Live } from "./live.ts";
import type { Sessions } from "./sessions.ts";
import { startManager } from "./startManager.ts";
import { streamView } from "./stream.ts";
import type { Troubleshooting } from "./troubleshooting.ts";

export interface SettingsAppWorld {
  readonly paths: DevicePaths;
  readonly pages: Pages;
  readonly sessions: Sessions;
  readonly live: Live;
  readonly troubleshooting: Troubleshooting;
  /** `127.0.0.1:PORT`, known once it listens. */
  readonly address: () => string;
  /** Called at each request that somebody with a session makes. */
  readonly used: () => void;
}

const Trouble = z.strictObject({ repair: z.boolean() });
const OfUpdate = z.object({ product: Product, version: Version.optional() });
const OfService = z.object({ name: ServiceName });
const Act = z.object({ name: ServiceName, action: ServiceAction });
const HowManyLines = z.object({ lines: z.coerce.number().int().min(1).max(10_000).default(500) });
const HowMany = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) });

export function settingsApp(world: SettingsAppWorld): FastifyInstance {
  const { paths, pages, live } = world;
  const { root } = paths;
  const app = localApi({
    "UPB-LOCAL-BAD-REQUEST": 400,
    "UPB-PAGE-LINK": 401,
    "UPB-PAGE-NO-SESSION": 401,
    "UPB-PAGE-FOREIGN": 403,
    "UPB-PAGE-NOT-ALLOWED": 403,
    "UPB-LOCAL-NO-SUCH-CALL": 404,
    "UPB-CHANGE-UNKNOWN": 404,
    "UPB-SERVICE-DISABLED": 409,
    "UPB-CHANGE-QUEUE-FULL": 429,
    "UPB-LOCAL-NOT-RUNNING": 503,
    "UPB-LOCAL-TIMEOUT": 503,
  });

  app.addHook("onRequest", async (request, reply) => {
    const nonce = randomBytes(16).toString("base64url");
    reply.headers({ ...securityHeaders(nonce), "cache-control": "no-store" });
    mustNameUs(world.address(), request.headers);
    if (!isApi(request)) {
      request.nonce = nonce;
      return;
    }
    mustComeFromOurPage(world.address(), request.method, request.headers);
    if (request.method === "POST" && request.url === "/api/session") return;
    const { id, key } = sessionHalves(cookieName(world), request.headers);
    const { access } = world.sessions.find(id, key);
    request.access = access;
    world.used();
  });
  app.decorateRequest("access", "read");
  app.decorateRequest("nonce", "");

  app.post("/api/session", (request, reply) => {
    const { token } = checked(SessionRequest, request.body, "the link");
    const { id, key, access } = world.sessions.open(token);
    world.used();
    reply.header("set-cookie", `${cookieName(world)}=${id}; HttpOnly; SameSite=Strict; Path=/`);
    return about(access, key);
  });
  app.get("/api/session", async (request) =>
    about(request.access, sessionHalves(cookieName(world), request.headers).key ?? ""),
  );
  app.get("/api/live", (request, reply) => streamView(live, request, reply));
  app.get("/api/history", async (request) => {
    const { limit } = checked(HowMany, request.query, "the number of entries");
    return { entries: await deviceHistory(root, limit) };
  });
  app.post("/api/changes", async (request, reply) => {
    mustHave(request, "change");
    const change = checked(ChangeRequest, request.body, "the change");
    reply.status(202);
    return await andLookAgain(live, requestChange(root, change));
  });
  app.get("/api/why", (request) => {
    const { product, version } = checked(OfUpdate, request.query, "the update");
    return explainUpdate(root, { product, ...(version === undefined ? {} : { version }) });
  });
  app.get("/api/policy", () => effectivePolicy(root));
  app.post("/api/settings", async (request) => {
    mustHave(request, "change");
    const change = checked(SettingsChange, request.body, "the settings");
    return await andLookAgain(live, changeSettings(root, change));
  });
  app.post("/api/policy", async (request) => {
    mustHave(request, "administer");
    changeAdminSettings(paths, checked(PolicyChange, request.body, "the policy"));
    return await andLookAgain(live, effectivePolicy(root));
  });
  app.post("/api/restart", async (request) => {
    mustHave(request, "change");
    return await andLookAgain(
      live,
      wishRestart(root, checked(RestartWish, request.body, "the wish")),
    );
  });
  app.get("/api/services/:name/logs", async (request) => {
    const { name } = checked(OfService, request.params, "the service");
    const { lines } = checked(HowManyLines, request.query, "the number of lines");
    return { lines: await serviceLogs(root, name, lines) };
  });
  app.post("/api/services/:name/:action", async (request) => {
    const { name, action } = checked(Act, request.params, "the service or the action");
    mustHave(request, ["start", "restart"].includes(action) ? "change" : "administer");
    return await andLookAgain(live, actOnService(root, name, action));
  });
  app.get("/api/troubleshoot", async () => world.troubleshooting.run());
  app.post("/api/troubleshoot", async (request) => {
    const { repair } = checked(Trouble, request.body, "the run");
    mustHave(request, repair ? "administer" : "change");
    return world.troubleshooting.start(repair);
  });
  app.post("/api/troubleshoot/undo", async (request) => {
    mustHave(request, "administer");
    return await andLookAgain(live, world.troubleshooting.undo());
  });
  app.post("/api/manager/start", async (request) => {
    mustHave(request, "administer");
    return { services: await andLookAgain(live, startManager(paths)) };
  });

  app.get("/*", (request, reply) => sendPage(pages, request, reply));
  return app;
}

declare module "fastify" {
  interface FastifyRequest {
    access: Access;
    nonce: string;
  }
}

const isApi = ({ url }: FastifyRequest): boolean => url === "/api" || url.startsWith("/api/");

/** Cookies do not know ports; two devices' pages in one browser must not end each other's session. */
const cookieName = (world: SettingsAppWorld): string =>
  `upbeat-settings-${world.address().split(":")[1]}`;

const about = (access: Access, key: string): Session => ({
  may: {
    change: includesAccess(access, "change"),
    administer: includesAccess(access, "administer"),
  },
  key,
  hostName: hostname(),
});

function mustHave(request: FastifyRequest, needs: Access): void {
  if (includesAccess(request.access, needs)) return;
  throw new UpbeatError("UPB-PAGE-NOT-ALLOWED", { object: `${request.method} ${request.url}` });
}

async function andLookAgain<T>(live: Live, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    live.hurry();
  }
}

function sendPage(pages: Pages, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split("?")[0] ?? "/";
  if (isApi(request)) {
    throw new UpbeatError("UPB-LOCAL-NO-SUCH-CALL", { object: `GET ${request.url}` });
  }
  const { status, headers, body } = pages.answer(path, request.nonce);
  return reply.status(status).headers(headers).send(body);
}
