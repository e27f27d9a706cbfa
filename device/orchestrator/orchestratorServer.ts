/** The orchestrator's socket: `protocol/orchestratorApi.ts`. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Product, Version } from "../../protocol/ids.ts";
import { InhibitRequest } from "../../protocol/inhibitors.ts";
import { ChangeRequest, SettingsChange } from "../../protocol/orchestratorApi.ts";
import { RestartWish } from "../../protocol/restartWishes.ts";
import { SIMULATION_MAX_DAYS } from "../../protocol/simulation.ts";
import { checked, localApi } from "../localServer.ts";
import type { Orchestrator } from "./orchestrator.ts";

const ById = z.object({ id: z.uuid() });
const Asked = z.object({ product: Product, version: Version.optional() });
const HowFar = z.object({ days: z.coerce.number().int().min(1).max(SIMULATION_MAX_DAYS) });
const HowMany = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) });

export function orchestratorServer(orchestrator: Orchestrator): FastifyInstance {
  const app = localApi({
    "UPB-LOCAL-BAD-REQUEST": 400,
    "UPB-CHANGE-UNKNOWN": 404,
    "UPB-CHANGE-QUEUE-FULL": 429,
    "UPB-INHIBITORS-FULL": 429,
    "UPB-SETTINGS-REFUSED": 400,
    "UPB-RESTART-NOTHING": 409,
    "UPB-RESTART-TIME": 400,
    "UPB-DECISION-UNKNOWN": 404,
    "UPB-LOCAL-NOT-RUNNING": 503,
    "UPB-LOCAL-TIMEOUT": 503,
  });
  app.get("/v1/status", () => orchestrator.status());
  app.post("/v1/changes", (request, reply) => {
    const change = orchestrator.request(checked(ChangeRequest, request.body, "the change"));
    return reply.status(202).send(change);
  });
  app.get("/v1/changes/:id", async (request) =>
    orchestrator.change(checked(ById, request.params, "the id of the change").id),
  );
  app.post("/v1/inhibitors", (request) =>
    orchestrator.inhibitors.take(checked(InhibitRequest, request.body, "the inhibitor")),
  );
  app.post("/v1/inhibitors/:id/release", (request) => {
    const { id } = checked(ById, request.params, "the id of the inhibitor");
    return { released: orchestrator.inhibitors.release(id) };
  });
  app.get("/v1/why", (request) =>
    orchestrator.why(checked(Asked, request.query, "the product and version")),
  );
  app.get("/v1/simulation", (request) =>
    orchestrator.simulate(checked(HowFar, request.query, "the number of days").days),
  );
  app.get("/v1/policy", () => orchestrator.policy());
  app.post("/v1/settings", (request) =>
    orchestrator.changeSettings(checked(SettingsChange, request.body, "the settings")),
  );
  app.post("/v1/restart", async (request) => {
    await orchestrator.wishRestart(checked(RestartWish, request.body, "the wish"));
    return await orchestrator.status();
  });
  app.get("/v1/decisions", (request) => {
    const { limit } = checked(HowMany, request.query, "the number of decisions");
    return { decisions: orchestrator.decisions.list(limit) };
  });
  app.get("/v1/decisions/:id", (request) =>
    orchestrator.decisions.replay(checked(ById, request.params, "the id of the decision").id),
  );
  app.get("/v1/facts", () => orchestrator.facts());
  app.get("/v1/history", async (request) => {
    const { limit } = checked(HowMany, request.query, "the number of entries");
    return { entries: await orchestrator.history(limit) };
  });
  return app;
}
