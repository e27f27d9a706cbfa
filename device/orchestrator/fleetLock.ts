/**
 * Asks a lock service before a restart and frees the slot when the machine is well again, in the
 * FleetLock protocol (`protocol/fleetLock.ts`): the update server's own service, or any other such as
 * coreos/airlock. Nothing is remembered here: both calls may be repeated, so a machine that has come
 * up simply frees what it may hold.
 *
 * Only a 200 is a yes. A service that is away, slow or confused is a no with a reason, never an
 * error: the restart waits, and the policy of the deadline decides for how long.
 */
import type { KeyObject } from "node:crypto";
import { FLEET_LOCK_HEADER, LockRefusal, type LockRequest } from "../../protocol/fleetLock.ts";
import { signRequest } from "../../protocol/requestSignature.ts";

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export interface FleetLockService {
  /** The base under which `v1/pre-reboot` stands. */
  readonly url: URL;
  readonly group: string;
  /** The device's id: the update server wants it signed with the device's own key. */
  readonly id: string;
  readonly key: () => KeyObject;
  readonly now: () => number;
}

export type LockAnswer =
  | { readonly is: "granted" }
  /** `because`: one plain sentence, the service's own words in it. */
  | { readonly is: "refused" | "unreachable"; readonly because: string };

/** Before a restart. Whoever holds the slot already is granted it again. */
export const takeRestartSlot = (service: FleetLockService): Promise<LockAnswer> =>
  ask(service, "v1/pre-reboot");

/** When the machine is well: after a restart, and at every start. */
export const freeRestartSlot = (service: FleetLockService): Promise<LockAnswer> =>
  ask(service, "v1/steady-state");

async function ask(service: FleetLockService, call: string): Promise<LockAnswer> {
  const base = service.url.href.endsWith("/") ? service.url.href : `${service.url.href}/`;
  const url = new URL(call, base);
  const request: LockRequest = { client_params: { id: service.id, group: service.group } };
  const body = Buffer.from(JSON.stringify(request));
  try {
    const signature = signRequest({
      method: "POST",
      url: url.href,
      body,
      keyId: service.id,
      privateKey: service.key(),
      nowMs: service.now(),
    });
    const response = await fetch(url, {
      method: "POST",
      body,
      // The protocol's header exists because of redirects; a signature is for one address anyway.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { "content-type": "application/json", [FLEET_LOCK_HEADER]: "true", ...signature },
    });
    if (response.status === 200) {
      await response.body?.cancel();
      return { is: "granted" };
    }
    const said = refusalIn(await readBounded(response));
    const why = said === undefined ? `status ${response.status}` : said.value;
    return { is: "refused", because: `The lock service at ${url.origin} says no: ${why}.` };
  } catch (error) {
    // undici puts the system's error one level down.
    const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = inner instanceof Error ? inner.message : String(inner);
    return {
      is: "unreachable",
      because: `The lock service at ${url.origin} does not answer: ${why}.`,
    };
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Undefined when something else than a lock service has answered. */
function refusalIn(text: string): LockRefusal | undefined {
  try {
    return LockRefusal.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
