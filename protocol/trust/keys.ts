/**
 * Public keys and thresholds of signatures (TUF specification 4.2.2 and 5.3.4).
 *
 * A threshold counts distinct PUBLIC KEYS, not key ids: one key under two ids counts once.
 * A malformed key of a known type refuses the whole file; a key of an unknown type is kept, so
 * that a root may carry keys of tomorrow beside ours, but can't vouch for anything.
 * Errors: UPB-TRUST-MALFORMED, UPB-TRUST-SIGNATURES.
 */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { UpbeatError } from "../errors/error.ts";
import {
  asObject,
  integerAt,
  type JsonObject,
  malformed,
  objectAt,
  textAt,
  textsAt,
} from "./fields.ts";

export interface PublicKey {
  readonly id: string;
  /** The same for every encoding of one key. */
  readonly identity: string;
  /** Undefined: this program can't check signatures of that type. */
  readonly check: ((signed: Uint8Array, signature: Uint8Array) => boolean) | undefined;
}

/** Who may sign for a role. */
export interface RoleKeys {
  readonly keyIds: readonly string[];
  readonly threshold: number;
}

export interface KeyRing {
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly role: RoleKeys;
}

/** `KEY` of the specification's section 4.2.2. */
export function parseKey(id: string, json: JsonObject, object: string): PublicKey {
  const type = textAt(json, "keytype", object);
  const scheme = textAt(json, "scheme", object);
  const text = textAt(objectAt(json, "keyval", object), "public", object);
  if (type === "ed25519" && scheme === "ed25519") return ed25519Key(id, text, object);
  // "ecdsa-sha2-nistp256" as a key type is the specification's old name of "ecdsa".
  const isEcdsa = type === "ecdsa" || type === "ecdsa-sha2-nistp256";
  if (isEcdsa && scheme === "ecdsa-sha2-nistp256") return ecdsaKey(id, text, object);
  if (type === "rsa" && scheme === "rsassa-pss-sha256") return rsaKey(id, text, object);
  return { id, identity: `${type}:${scheme}:${text}`, check: undefined };
}

/** The "keys" of a root or of delegations, by key id. */
export function keysOf(json: JsonObject, object: string): Map<string, PublicKey> {
  const keys = new Map<string, PublicKey>();
  for (const [id, value] of Object.entries(objectAt(json, "keys", object))) {
    keys.set(id, parseKey(id, asObject(value, id, object), object));
  }
  return keys;
}

/** "keyids" and "threshold" of a role. */
export function roleKeysOf(json: JsonObject, object: string): RoleKeys {
  const keyIds = textsAt(json, "keyids", object);
  if (new Set(keyIds).size !== keyIds.length) throw malformed(object, "a key id is listed twice");
  return { keyIds, threshold: integerAt(json, "threshold", 1, object) };
}

/** How many distinct keys of the role signed `signed` validly. */
export function countSigners(
  signed: Uint8Array,
  signatures: ReadonlyMap<string, string>,
  { keys, role }: KeyRing,
): number {
  const signers = new Set<string>();
  for (const keyId of role.keyIds) {
    const key = keys.get(keyId);
    const signature = signatures.get(keyId);
    if (key?.check === undefined || signature === undefined || signers.has(key.identity)) continue;
    // An unreadable signature is only one that doesn't count: others may reach the threshold.
    if (!/^(?:[0-9a-f]{2})+$/i.test(signature)) continue;
    if (key.check(signed, Buffer.from(signature, "hex"))) signers.add(key.identity);
  }
  return signers.size;
}

/** Specification 5.3.4, 5.4.2, 5.5.3, 5.6.3: a threshold of the role's keys must have signed. */
export function requireThreshold(
  signed: Uint8Array,
  signatures: ReadonlyMap<string, string>,
  ring: KeyRing,
  object: string,
): void {
  const found = countSigners(signed, signatures, ring);
  if (found >= ring.role.threshold) return;
  throw new UpbeatError("UPB-TRUST-SIGNATURES", {
    object,
    detail: `expected ${ring.role.threshold} valid signatures of distinct keys, found ${found}`,
  });
}

/** SHA-256 over a role's distinct public keys and threshold: changes when keys are rotated. */
export function keySetHash({ keys, role }: KeyRing): string {
  const identities = new Set(role.keyIds.map((id) => keys.get(id)?.identity ?? `unknown:${id}`));
  const text = JSON.stringify([role.threshold, ...[...identities].sort()]);
  return createHash("sha256").update(text).digest("hex");
}

function ed25519Key(id: string, text: string, object: string): PublicKey {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw malformed(object, `key ${id} is not 64 hex digits`);
  const bytes = Buffer.from(text, "hex");
  let key: KeyObject | undefined;
  return {
    id,
    identity: `ed25519:${bytes.toString("hex")}`,
    check: (signed, signature) => {
      key ??= createPublicKey({
        key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") },
        format: "jwk",
      });
      return verify(null, signed, key, signature);
    },
  };
}

function ecdsaKey(id: string, pem: string, object: string): PublicKey {
  const key = pemKey(id, pem, object);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw malformed(object, `key ${id} is not on the curve P-256`);
  }
  const check = (signed: Uint8Array, signature: Uint8Array) =>
    verify("sha256", signed, key, signature);
  return { id, identity: spki(key), check };
}

/** Smaller RSA keys are within reach of factoring (NIST SP 800-131A revision 2). */
const MIN_RSA_BITS = 2048;

function rsaKey(id: string, pem: string, object: string): PublicKey {
  const key = pemKey(id, pem, object);
  const bits = key.asymmetricKeyType === "rsa" ? key.asymmetricKeyDetails?.modulusLength : 0;
  if (bits === undefined || bits < MIN_RSA_BITS) {
    throw malformed(object, `key ${id} is not an RSA key of at least ${MIN_RSA_BITS} bits`);
  }
  // python's securesystemslib writes the longest salt, others the length of the digest: RFC 8017
  // lets the verifier find the length in the signature.
  const pss = { key, padding: 6, saltLength: -2 };
  const check = (signed: Uint8Array, signature: Uint8Array) =>
    verify("sha256", signed, pss, signature);
  return { id, identity: spki(key), check };
}

function pemKey(id: string, pem: string, object: string): KeyObject {
  // createPublicKey would also take a private key and derive the public half from it.
  if (!pem.startsWith("-----BEGIN PUBLIC KEY-----")) {
    throw malformed(object, `key ${id} is not a public key in PEM`);
  }
  try {
    return createPublicKey({ key: pem, format: "pem" });
  } catch (cause) {
    throw malformed(object, `key ${id} cannot be read`, cause);
  }
}

const spki = (key: KeyObject): string =>
  `spki:${key.export({ type: "spki", format: "der" }).toString("base64")}`;
