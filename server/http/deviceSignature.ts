/**
 * Whether a request was signed by the device that it names. One for the whole server, because it
 * remembers the nonces.
 */
import { createPublicKey } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { DeviceId } from "../../protocol/ids.ts";
import { verifyRequest } from "../../protocol/requestSignature.ts";
import { nonces } from "../devices/nonces.ts";
import type { Database } from "../storage/database.ts";
import { publicKeyOf } from "../storage/devices.ts";

/** Errors: UPB-SERVER-SIGNATURE, UPB-SERVER-TOO-MANY. */
export type RequireDevice = (
  deviceId: DeviceId,
  body: Uint8Array,
  request: FastifyRequest,
) => Promise<void>;

export function deviceSignature(deps: {
  db: Database;
  now: () => number;
  /** Undefined: devices reach this server under the name that they put into `Host`. */
  publicUrl: URL | undefined;
}): RequireDevice {
  const { db, now } = deps;
  const seen = nonces(now);
  return async (deviceId, body, request) => {
    if (seen.isFull(deviceId))
      throw new UpbeatError("UPB-SERVER-TOO-MANY", { object: `requests of ${deviceId}` });
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
  };
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
