/** `/metrics` for Prometheus. No names of devices or products: this page needs no token. */
import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { LockGroup } from "../../protocol/fleetLock.ts";
import type { Publishing } from "../publishing/publishing.ts";
import type { Database } from "../storage/database.ts";
import { countDevices } from "../storage/devices.ts";
import { lockGroups } from "../storage/fleetLocks.ts";

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

  lockGauges(registers, db);

  app.addHook("onResponse", async (request, reply) => {
    const route = `${request.method} ${request.routeOptions.url ?? "unknown"}`;
    requests.inc({ route, status: reply.statusCode });
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}

/** A slot that is held for hours is a machine that did not come back. */
function lockGauges(registers: Registry[], db: Database): void {
  const gauge = (name: string, help: string, value: (group: LockGroup) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: ["group"],
      registers,
      async collect() {
        this.reset();
        for (const one of await lockGroups(db)) {
          const found = value(one);
          if (found !== undefined) this.set({ group: one.group }, found);
        }
      },
    });
  gauge("upbeat_fleet_lock_slots", "Machines that may restart at a time", ({ slots }) => slots);
  gauge(
    "upbeat_fleet_lock_holders",
    "Machines that hold a slot to restart",
    ({ holders }) => holders.length,
  );
  gauge(
    "upbeat_fleet_lock_oldest_since_seconds",
    "Since when the longest held slot is held, seconds since 1970",
    ({ holders: [oldest] }) => oldest && oldest.sinceMs / 1000,
  );
}
