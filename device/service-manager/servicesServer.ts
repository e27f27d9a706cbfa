/** The service manager's socket: `protocol/servicesApi.ts` over any `ServiceHost`. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ServiceAction, ServiceName } from "../../protocol/servicesApi.ts";
import { checked, localApi } from "../localServer.ts";
import type { ServiceHost } from "./serviceHost.ts";

const Act = z.object({ name: ServiceName, action: ServiceAction });
const LogsOf = z.object({ name: ServiceName });
const HowMany = z.object({ lines: z.coerce.number().int().min(1).max(10_000).default(100) });

/** `look`: wakes the troubleshooter, which decides by itself whether it is due. */
export function servicesServer(host: ServiceHost, look: () => void): FastifyInstance {
  const app = localApi({ "UPB-LOCAL-BAD-REQUEST": 400, "UPB-SERVICE-DISABLED": 409 });
  app.get("/v1/services", async () => ({ services: await host.list() }));
  app.post("/v1/services/:name/:action", (request) => {
    const { name, action } = checked(Act, request.params, "the service or the action");
    return host.act(name, action);
  });
  app.post("/v1/diagnosis", (_request, reply) => {
    look();
    return reply.status(202).send({});
  });
  app.get("/v1/services/:name/logs", async (request) => {
    const { name } = checked(LogsOf, request.params, "the service");
    const { lines } = checked(HowMany, request.query, "the number of lines");
    return { lines: await host.logs(name, lines) };
  });
  return app;
}
