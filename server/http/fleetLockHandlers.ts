/**
 * The FleetLock service (`protocol/fleetLock.ts`), and what an administrator may do with its groups.
 *
 * The protocol knows no authentication. Here a holder that is an enrolled device must sign as in its
 * reports, so that nobody takes or frees a slot in its name; others are let in only where the
 * administrator has opened the group.
 */
import type { FastifyInstance } from "fastify";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { FLEET_LOCK_HEADER, type LockRequest } from "../../protocol/fleetLock.ts";
import { DeviceId } from "../../protocol/ids.ts";
import type { Database } from "../storage/database.ts";
import { publicKeyOf } from "../storage/devices.ts";
import {
  lockGroup,
  lockGroups,
  releaseSlot,
  setLockGroup,
  takeSlot,
} from "../storage/fleetLocks.ts";
import { type Admission, attach, type Incoming } from "./attach.ts";
import type { RequireDevice } from "./deviceSignature.ts";
import { answerReport, asUpbeat } from "./errors.ts";
import { ROUTES } from "./routes.ts";

export interface FleetLockDeps {
  readonly db: Database;
  readonly now: () => number;
  readonly requireDevice: RequireDevice;
}

export function fleetLockHandlers(
  app: FastifyInstance,
  deps: FleetLockDeps,
  admit: Admission,
): void {
  void app.register(async (scope) => lockService(scope, deps));
  const { db } = deps;
  attach(app, ROUTES.lockGroups, admit, async () => ({ groups: await lockGroups(db) }));
  attach(app, ROUTES.setLockGroup, admit, ({ params, body }) =>
    setLockGroup(db, params.group, body),
  );
  attach(app, ROUTES.releaseLock, admit, async ({ params, body, request }) => {
    const { group } = await lockGroup(db, params.group);
    if (!(await releaseSlot(db, { group, holder: body.holder }))) {
      const object = `a slot of ${body.holder} in ${group}`;
      throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object });
    }
    request.log.info({ group, holder: body.holder }, "an administrator has released a slot");
    return lockGroup(db, group);
  });
}

function lockService(scope: FastifyInstance, { db, now, requireDevice }: FleetLockDeps): void {
  // Zincati names no content type, curl names that of a form.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  scope.setErrorHandler((cause, request, reply) => {
    const error = asUpbeat(cause, request);
    const { code, text, detail, ...report } = reportError(error);
    const kind = KINDS[code as ErrorCode] ?? "failed_lock";
    const value = detail === undefined ? text : `${text}: ${detail}`;
    return answerReport(error, { kind, value, code, text, detail, ...report }, request, reply);
  });
  const admit: Admission = async (request) => {
    if (request.headers[FLEET_LOCK_HEADER] === "true") return;
    const detail = `the header ${FLEET_LOCK_HEADER} is not "true"`;
    throw new UpbeatError("UPB-SERVER-BAD-REQUEST", { object: "FleetLock request", detail });
  };
  /** Whether the holder is a device of this server: then it has signed. */
  const isDevice = async ({ body, bytes, request }: Incoming<unknown, LockRequest>) => {
    const id = DeviceId.safeParse(body.client_params.id).data;
    if (id === undefined || (await publicKeyOf(db, id)) === undefined) return false;
    await requireDevice(id, bytes, request);
    return true;
  };
  attach(scope, ROUTES.preReboot, admit, async (incoming) => {
    const { id, group } = incoming.body.client_params;
    await takeSlot(db, { group, holder: id }, await isDevice(incoming), now());
    return {};
  });
  attach(scope, ROUTES.steadyState, admit, async (incoming) => {
    const { id, group } = incoming.body.client_params;
    await isDevice(incoming);
    await releaseSlot(db, { group, holder: id });
    return {};
  });
}

/** Few and fixed, as the protocol asks; the first three are those of coreos/airlock and Zincati's text. */
const KINDS: Partial<Record<ErrorCode, string>> = {
  "UPB-FLEETLOCK-FULL": "failed_lock_semaphore_full",
  "UPB-FLEETLOCK-GROUP": "unknown_group",
  "UPB-SERVER-BAD-REQUEST": "invalid_client_identity",
  "UPB-FLEETLOCK-CLOSED": "closed_group",
  "UPB-SERVER-SIGNATURE": "wrong_signature",
  "UPB-SERVER-TOO-MANY": "too_many_requests",
};
