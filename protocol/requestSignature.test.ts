import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type RequestToVerify, signRequest, verifyRequest } from "./requestSignature.ts";

describe("a signed request", () => {
  it("is accepted as it was sent", () => {
    expect(verifyRequest(sent())).toEqual({ ok: true, keyId: "dev-1" });
  });

  it.each([
    ["another body", { body: Buffer.from("{}") }],
    ["another path", { url: "http://127.0.0.1:8530/api/v1/devices/dev-2/reports" }],
    ["another method", { method: "PUT" }],
    ["an unknown key", { publicKeyOf: () => undefined }],
    ["somebody else's key", { publicKeyOf: () => generateKeyPairSync("ed25519").publicKey }],
    ["a clock that is six minutes ahead", { nowMs: NOW_MS + 360_000 }],
    ["a clock that is six minutes behind", { nowMs: NOW_MS - 360_000 }],
  ])("is refused with %s", (_what, change) => {
    expect(verifyRequest({ ...sent(), ...change })).toMatchObject({ ok: false });
  });

  it.each([
    ["alg", 'alg="ed25519"', 'alg="none"'],
    ["tag", 'tag="upbeat-device"', 'tag="other"'],
    ["a stripped component", ' "content-digest"', ""],
    ["an added parameter", ";nonce=", ";expires=9;nonce="],
    ["another creation time", `created=${Math.floor(1_700_000_000)}`, `created=${1_700_000_001}`],
  ])("is refused with another %s", (_what, from, to) => {
    const request = sent();
    const input = String(request.headers["signature-input"]);
    expect(input).toContain(from);
    const headers = { ...request.headers, "signature-input": input.replace(from, to) };
    expect(verifyRequest({ ...request, headers })).toMatchObject({ ok: false });
  });

  it.each(["signature", "signature-input", "content-digest"])("is refused without %s", (name) => {
    const request = sent();
    expect(
      verifyRequest({ ...request, headers: { ...request.headers, [name]: undefined } }),
    ).toMatchObject({ ok: false });
  });

  it("is refused the second time", () => {
    const seen = new Set<string>();
    const isReplay = (_keyId: string, nonce: string) => seen.size === seen.add(nonce).size;
    const request = { ...sent(), isReplay };
    expect(verifyRequest(request).ok).toBe(true);
    expect(verifyRequest(request)).toEqual({ ok: false, reason: "the request was sent before" });
  });
});

const NOW_MS = 1_700_000_000_000;

function sent(): RequestToVerify {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const request = {
    method: "POST",
    url: "http://127.0.0.1:8530/api/v1/devices/dev-1/reports",
    body: Buffer.from('{"events":[]}'),
  };
  const headers = signRequest({ ...request, keyId: "dev-1", privateKey, nowMs: NOW_MS });
  return {
    ...request,
    headers,
    publicKeyOf: () => publicKey,
    isReplay: () => false,
    nowMs: NOW_MS,
  };
}
