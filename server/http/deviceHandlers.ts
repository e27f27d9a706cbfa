/** What devices say: that they are here, and what happened on them. */
import { createPublicKey } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { DeviceId } from "../../protocol/ids.ts";
import { verifyRequest } from "../../protocol/requestSignature.ts";
import { failedTries } from "../devices/failedTries.ts";
import { nonces } from "../devices/nonces.ts";
import type { Database } from "../storage/database.ts";
import { enrolDevice, publicKeyOf, storeReport } from "../storage/devices.ts";
import { attach } from "./attach.ts";
import { ROUTES } from "./routes.ts";

export interface DeviceDeps {
  readonly db: Database;
  readonly now: () => number;
  /** Undefined: devices reach this server under the name that they put into `Host`. */
  readonly publicUrl: URL | undefined;
}

export function deviceHandlers(app: FastifyInstance, deps: DeviceDeps): void {
  const { db, now } = deps;
  const failures = failedTries(now);
  const seen = nonces(now);
  const anybody = async () => {};

  attach(app, ROUTES.enrol, anybody, async ({ body, request }) => {
    try {
      return { deviceId: await enrolDevice(db, body, now()) };
    } catch (error) {
      // A good token always passes: nobody can lock others out from behind the same proxy.
      if (failures.isBlocked(request.ip)) throw tooMany(`enrolment from ${request.ip}`);
      failures.add(request.ip);
      throw error;
    }
  });

  attach(app, ROUTES.report, anybody, async (incoming) => {
    const { params, bytes, request } = incoming;
    await requireDevice(params.id, bytes, request);
    return { accepted: await storeReport(db, params.id, incoming.body, now()) };
  });

  async function requireDevice(
    deviceId: DeviceId,
    body: Uint8Array,
    request: FastifyRequest,
  ): Promise<void> {
    if (seen.isFull(deviceId)) throw tooMany(`reports of ${deviceId}`);
    const known = await publicKeyOf(db, deviceId);
    const verdict = verifyRequest({
      method: request.method,
      url: targetUri(request, deps.publicUrl),
      body,
      headers: request.headers,
      // Only the device's own key: no device speaks for another.
      publicKeyOf: (keyId) => (keyId === deviceId && known ? ed25519Key(known) : undefined),
      isReplay: seen.isReplay,
      nowMs: now(),
    });
    if (verdict.ok) return;
    const detail = `${verdict.reason}; the server's clock says ${new Date(now()).toISOString()}`;
    throw new UpbeatError("UPB-SERVER-SIGNATURE", { object: deviceId, detail });
  }
}

/**
 * What the device has signed as the target. `Host` is safe to use without a public address: a
 * request that was signed for another server names a device that this one does not know.
 */
function targetUri(request: FastifyRequest, publicUrl: URL | undefined): string {
  const path = request.raw.url ?? "/";
  if (publicUrl === undefined) return `http://${request.headers.host ?? ""}${path}`;
  return `${publicUrl.href.replace(/\/$/, "")}${path}`;
}

const ed25519Key = (x: string) =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });

const tooMany = (object: string): UpbeatError => new UpbeatError("UPB-SERVER-TOO-MANY", { object });
