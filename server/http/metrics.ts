/** `/metrics` for Prometheus. No names of devices or products: this page needs no token. */
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Publishing } from "../publishing/publishing.ts";
import type { Database } from "../storage/database.ts";
import { countDevices } from "../storage/devices.ts";

export function metrics(
  app: FastifyInstance,
  { db, publishing }: { db: Database; publishing: Publishing },
): void {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const requests = new Counter({
    name: "upbeat_http_requests_total",
    help: "Requests answered, by route and status",
    labelNames: ["route", "status"],
    registers,
  });
  const gauge = (name: string, help: string, value: () => Promise<number> | number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await value());
      },
    });
  gauge("upbeat_devices", "Enrolled devices", () => countDevices(db));
  const seconds = (ms: number | undefined) => (ms === undefined ? Number.NaN : ms / 1000);
  gauge("upbeat_timestamp_expires_seconds", "When the timestamp expires, seconds since 1970", () =>
    seconds(publishing.current()?.timestamp.expiresMs),
  );
  gauge("upbeat_root_expires_seconds", "When the root expires, seconds since 1970", () =>
    seconds(publishing.current()?.root.expiresMs),
  );

  app.addHook("onResponse", async (request, reply) => {
    const route = `${request.method} ${request.routeOptions.url ?? "unknown"}`;
    requests.inc({ route, status: reply.statusCode });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}
