/** The socket's verbs (`protocol/updateServiceApi.ts`): ids in, states out. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Channel, Product } from "../../protocol/ids.ts";
import type { ProviderState } from "../../protocol/providers.ts";
import {
  type InstalledProduct,
  JobRequest,
  type ServiceStatus,
} from "../../protocol/updateServiceApi.ts";
import { localApi } from "../localServer.ts";
import type { Jobs } from "./jobs.ts";
import type { Journal } from "./journal.ts";

const ById = z.object({ id: z.uuid() });
const HistoryQuery = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100) });

export function updateServiceApi(about: {
  journal: Journal;
  jobs: Jobs;
  startedMs: number;
  providers: () => ProviderState[];
  restartMachine: () => Promise<void>;
  configured: () => readonly { product: Product; channel: Channel }[];
}): FastifyInstance {
  const { journal, jobs, startedMs } = about;
  const app = localApi({
    "UPB-INSTALL-BUSY": 409,
    "UPB-CHANGE-UNKNOWN": 404,
    "UPB-LOCAL-BAD-REQUEST": 400,
    "UPB-PROVIDER-UNKNOWN": 404,
    "UPB-INSTALL-ALREADY": 409,
    "UPB-INSTALL-OLDER": 409,
    "UPB-INSTALL-NOT-DOWNLOADED": 409,
    "UPB-ROLLBACK-NOTHING": 409,
    "UPB-UNINSTALL-NOTHING": 409,
    "UPB-VERIFY-NOTHING": 409,
  });
  app.get("/v1/status", (): ServiceStatus => {
    const busy = jobs.busy();
    return {
      pid: process.pid,
      startedMs,
      ...(busy === undefined ? {} : { busy }),
      tidying: jobs.isTidying(),
      products: installedProducts(journal, about.configured()),
      updates: journal.records(),
      providers: about.providers(),
    };
  });
  app.get("/v1/history", (request) => ({
    entries: journal.history(parse(HistoryQuery, request.query).limit),
  }));
  app.post("/v1/pause", () => ({ paused: jobs.pause() }));
  app.post("/v1/restart", async () => {
    jobs.requireIdle("restart");
    await about.restartMachine();
    return { begun: true };
  });
  app.get("/v1/plans/:id", (request) => {
    const { id } = parse(ById, request.params);
    const answer = jobs.planned(id);
    if (answer === undefined) throw new UpbeatError("UPB-CHANGE-UNKNOWN", { object: id });
    return answer;
  });
  app.post("/v1/jobs", (request, reply) =>
    reply.status(202).send({ jobId: jobs.accept(parse(JobRequest, request.body)) }),
  );
  return app;
}

function installedProducts(
  journal: Journal,
  configured: readonly { product: Product; channel: Channel }[],
): InstalledProduct[] {
  return configured.map(({ product, channel }) => {
    const { current, previous, rollbackUntilMs } = journal.product(product);
    return {
      product,
      channel,
      ...(current === undefined ? {} : { current }),
      ...(previous === undefined ? {} : { previous }),
      ...(rollbackUntilMs === undefined ? {} : { rollbackUntilMs }),
    };
  });
}

function parse<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", {
    object: "request",
    detail: z.prettifyError(parsed.error),
  });
}
