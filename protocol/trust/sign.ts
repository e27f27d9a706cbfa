/**
 * The one place that signs. Only what holds keys may import it: the publisher's tools and the
 * server's signer process (`tests/layers.test.ts` sees to it).
 *
 * Ed25519 only: one algorithm to write, whatever a client can read.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { canonicalJson } from "../canonicalJson.ts";
import { UpbeatError } from "../errors/error.ts";
import { keyIdOf } from "./keyObject.ts";
import { stableJson } from "./stableJson.ts";

export interface SigningKey {
  readonly keyId: string;
  /** 64 hex digits. */
  readonly publicHex: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** `privatePkcs8Pem` is not encrypted: whoever keeps it must. */
export function newSigningKey(): { key: SigningKey; privatePkcs8Pem: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const privatePkcs8Pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { key: signingKey(privateKey), privatePkcs8Pem };
}

/** Errors: UPB-TRUST-KEY. */
export function signingKeyFromPem(pem: string): SigningKey {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== "ed25519")
      throw new TypeError(`a key of type ${key.asymmetricKeyType}`);
    return signingKey(key);
  } catch (cause) {
    throw new UpbeatError("UPB-TRUST-KEY", { object: "private key", cause });
  }
}

function signingKey(privateKey: KeyObject): SigningKey {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicHex = Buffer.from(x, "base64url").toString("hex");
  return { keyId: keyIdOf(publicHex), publicHex, sign: (bytes) => sign(null, bytes, privateKey) };
}

/** The bytes of a metadata file. Signing twice with one key counts once, so it is done once. */
export function signMetadata(signed: object, keys: readonly SigningKey[]): Uint8Array {
  const bytes = canonicalJson(signed);
  const distinct = new Map(keys.map((key) => [key.keyId, key]));
  const signatures = [...distinct.values()].map((key) => ({
    keyid: key.keyId,
    sig: Buffer.from(key.sign(bytes)).toString("hex"),
  }));
  return stableJson({ signatures, signed });
}
