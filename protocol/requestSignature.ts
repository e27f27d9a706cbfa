/**
 * Signed HTTP requests: RFC 9421 in one fixed profile, nothing negotiable.
 *
 *   Content-Digest:  sha-256=:…:                                      (RFC 9530)
 *   Signature-Input: sig1=("@method" "@target-uri" "content-digest");created=S;keyid="…";
 *                    alg="ed25519";nonce="…";tag="upbeat-device"
 *   Signature:       sig1=:…:
 *
 * A verifier reads `Signature-Input` with one regular expression: what differs in any way is
 * refused, so that no component, algorithm or time can be left out or added.
 */
import { createHash, type KeyObject, randomBytes, sign, verify } from "node:crypto";

export interface RequestToSign {
  readonly method: string;
  /** As the server knows itself, with scheme and authority; never taken from forwarding headers. */
  readonly url: string;
  readonly body: Uint8Array;
}

/** How far the two clocks may be apart, and so how long a nonce must be remembered. */
export const SIGNATURE_TOLERANCE_MS = 300_000;

const TAG = "upbeat-device";
const INPUT = new RegExp(
  `^sig1=(\\("@method" "@target-uri" "content-digest"\\);created=(\\d{1,12});keyid="([A-Za-z0-9_-]{1,100})";alg="ed25519";nonce="([A-Za-z0-9_-]{22})";tag="${TAG}")$`,
);
const SIGNATURE = /^sig1=:([A-Za-z0-9+/]{86}==):$/;

/** The headers to add. */
export function signRequest(
  request: RequestToSign & { keyId: string; privateKey: KeyObject; nowMs: number },
): Record<string, string> {
  const nonce = randomBytes(16).toString("base64url");
  const created = Math.floor(request.nowMs / 1000);
  const parameters = `("@method" "@target-uri" "content-digest");created=${created};keyid="${request.keyId}";alg="ed25519";nonce="${nonce}";tag="${TAG}"`;
  const digest = contentDigest(request.body);
  const signature = sign(null, signatureBase(request, digest, parameters), request.privateKey);
  return {
    "content-digest": digest,
    "signature-input": `sig1=${parameters}`,
    signature: `sig1=:${signature.toString("base64")}:`,
  };
}

export type Verdict =
  | { readonly ok: true; readonly keyId: string }
  | { readonly ok: false; readonly reason: string };

export interface RequestToVerify extends RequestToSign {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly publicKeyOf: (keyId: string) => KeyObject | undefined;
  /** Remembers the nonce; true when it was seen before. Asked only about good signatures. */
  readonly isReplay: (keyId: string, nonce: string) => boolean;
  readonly nowMs: number;
}

/** A refusal is a value with a reason. */
export function verifyRequest(request: RequestToVerify): Verdict {
  const input = INPUT.exec(headerOf(request, "signature-input"));
  const found = SIGNATURE.exec(headerOf(request, "signature"));
  const [, parameters, created, keyId, nonce] = input ?? [];
  if (
    parameters === undefined ||
    keyId === undefined ||
    nonce === undefined ||
    found?.[1] === undefined
  ) {
    return refused("the request is not signed in the expected form");
  }
  const apartMs = Math.abs(request.nowMs - Number(created) * 1000);
  if (apartMs > SIGNATURE_TOLERANCE_MS)
    return refused(`the two clocks are ${Math.round(apartMs / 1000)} s apart`);
  const digest = contentDigest(request.body);
  if (headerOf(request, "content-digest") !== digest)
    return refused("the body is not the one that was signed");
  const key = request.publicKeyOf(keyId);
  if (key === undefined) return refused("the key is not known");
  const base = signatureBase(request, digest, parameters);
  if (!verify(null, base, key, Buffer.from(found[1], "base64")))
    return refused("the signature does not match");
  if (request.isReplay(keyId, nonce)) return refused("the request was sent before");
  return { ok: true, keyId };
}

const refused = (reason: string): Verdict => ({ ok: false, reason });

/** RFC 9421, section 2.5. */
const signatureBase = (
  { method, url }: RequestToSign,
  digest: string,
  parameters: string,
): Uint8Array =>
  Buffer.from(
    `"@method": ${method.toUpperCase()}\n"@target-uri": ${url}\n"content-digest": ${digest}\n"@signature-params": ${parameters}`,
  );

const contentDigest = (body: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;

function headerOf({ headers }: RequestToVerify, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}
