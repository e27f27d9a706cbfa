/** What devices say: that they are here, and what happened on them. */
import type { FastifyInstance } from "fastify";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Changes } from "../console/changes.ts";
import { failedTries } from "../devices/failedTries.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Database } from "../storage/database.ts";
import { enrolDevice, storeReport } from "../storage/devices.ts";
import { attach } from "./attach.ts";
import type { RequireDevice } from "./deviceSignature.ts";
import { ROUTES } from "./routes.ts";

export interface DeviceDeps {
  readonly db: Database;
  readonly changes: Pick<Changes, "tell">;
  readonly fleet: Pick<Fleet, "describe">;
  readonly now: () => number;
  readonly requireDevice: RequireDevice;
}

export function deviceHandlers(app: FastifyInstance, deps: DeviceDeps): void {
  const { db, changes, fleet, now, requireDevice } = deps;
  const failures = failedTries(now);
  const anybody = async () => {};

  attach(app, ROUTES.enrol, anybody, async ({ body, request }) => {
    try {
      const deviceId = await enrolDevice(db, body, now(), fleet.describe);
      changes.tell("devices");
      return { deviceId };
    } catch (error) {
      // A good token always passes: nobody can lock others out from behind the same proxy.
      if (failures.isBlocked(request.ip))
        throw new UpbeatError("UPB-SERVER-TOO-MANY", { object: `enrolment from ${request.ip}` });
      failures.add(request.ip);
      throw error;
    }
  });

  attach(app, ROUTES.report, anybody, async (incoming) => {
    const { params, bytes, request } = incoming;
    await requireDevice(params.id, bytes, request);
    const accepted = await storeReport(db, params.id, incoming.body, now(), fleet.describe);
    changes.tell("devices", "rollouts");
    return { accepted };
  });
}
