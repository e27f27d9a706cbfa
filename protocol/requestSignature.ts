/**
 * Signed requests: HTTP Message Signatures (RFC 9421) in one fixed profile, nothing negotiable.
 *
 * Covered are always `"@method" "@target-uri" "content-digest"`, with created, keyid, alg, nonce and
 * tag in this order, so that one expression reads it and everything else is refused. The body counts
 * through its digest (RFC 9530). A signature is good for 300 s around the verifier's clock, and a
 * nonce once (reference: security.md section 4).
 */
import {
  createHash,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";

export const SIGNATURE_WINDOW_MS = 300_000;
const TAG = "upbeat-device";
const COVERED = '("@method" "@target-uri" "content-digest")';

export interface RequestToSign {
  readonly method: string;
  /** Absolute, as the server knows itself. */
  readonly url: string;
  readonly body: Uint8Array;
  readonly keyId: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
  readonly nowMs: number;
}

/** The headers to add. */
export function signRequest(request: RequestToSign): Record<string, string> {
  const created = Math.floor(request.nowMs / 1_000);
  const nonce = randomBytes(16).toString("base64url");
  const parameters =
    `${COVERED};created=${created};keyid="${request.keyId}";alg="ed25519"` +
    `;nonce="${nonce}";tag="${TAG}"`;
  const digest = contentDigest(request.body);
  const base = signatureBase(request.method, request.url, digest, parameters);
  return {
    "content-digest": digest,
    "signature-input": `sig=${parameters}`,
    signature: `sig=:${sign(null, base, request.privateKey).toString("base64")}:`,
  };
}

export interface RequestToVerify {
  readonly method: string;
  /** From the server's own configured origin, never from a forwarded header. */
  readonly url: string;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly publicKeyOf: (keyId: string) => KeyObject | undefined;
  /** Whether that key used that nonce before, within twice the window; remembers it. */
  readonly isReplay: (keyId: string, nonce: string) => boolean;
  readonly nowMs: number;
}

export type Verification = { ok: true; keyId: string } | { ok: false; reason: string };

const PROFILE =
  /^sig=(\("@method" "@target-uri" "content-digest"\);created=(\d{1,12});keyid="([A-Za-z0-9_-]{1,100})";alg="ed25519";nonce="([A-Za-z0-9_-]{16,64})";tag="upbeat-device")$/;
const SIGNATURE = /^sig=:([A-Za-z0-9+/]{86}==):$/;

export function verifyRequest(request: RequestToVerify): Verification {
  const [, parameters = "", created = "", keyId = "", nonce = ""] =
    PROFILE.exec(headerOf(request, "signature-input")) ?? [];
  if (parameters === "") return no("the request is not signed in the one accepted way");
  const signature = SIGNATURE.exec(headerOf(request, "signature"))?.[1];
  if (signature === undefined) return no("the signature is missing or malformed");
  if (Math.abs(Number(created) * 1_000 - request.nowMs) > SIGNATURE_WINDOW_MS) {
    return no("the signature is older or younger than 300 seconds");
  }
  const digest = contentDigest(request.body);
  if (!isSame(digest, headerOf(request, "content-digest"))) {
    return no("the body is not the one that was signed");
  }
  const key = request.publicKeyOf(keyId);
  if (key === undefined) return no("the key is not known");
  const base = signatureBase(request.method, request.url, digest, parameters);
  if (!verify(null, base, key, Buffer.from(signature, "base64")))
    return no("the signature is wrong");
  // Last, so that a stranger cannot use up a device's nonces.
  if (request.isReplay(keyId, nonce)) return no("the request was sent before");
  return { ok: true, keyId };
}

const no = (reason: string): Verification => ({ ok: false, reason });

function headerOf(request: RequestToVerify, name: string): string {
  const value = Object.hasOwn(request.headers, name) ? request.headers[name] : undefined;
  return typeof value === "string" ? value : "";
}

const contentDigest = (body: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

/** RFC 9421, section 2.5. */
function signatureBase(method: string, url: string, digest: string, parameters: string): Buffer {
  return Buffer.from(
    `"@method": ${method.toUpperCase()}\n"@target-uri": ${url}\n` +
      `"content-digest": ${digest}\n"@signature-params": ${parameters}`,
  );
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
