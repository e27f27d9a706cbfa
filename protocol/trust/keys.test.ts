import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { countSigners, keySetHash, parseKey, requireThreshold } from "./keys.ts";

const SIGNED = Buffer.from("what is signed");
const pem = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const ring = (keys: Record<string, object>, threshold = 1) => ({
  keys: new Map(
    Object.entries(keys).map(([id, json]) => [id, parseKey(id, { ...json }, "it")] as const),
  ),
  role: { keyIds: Object.keys(keys), threshold },
});

describe("a key", () => {
  const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kinds = [
    {
      name: "ecdsa",
      json: {
        keytype: "ecdsa",
        scheme: "ecdsa-sha2-nistp256",
        keyval: { public: pem(ec.publicKey) },
      },
      signature: () => sign("sha256", SIGNED, ec.privateKey),
    },
    {
      name: "rsa",
      json: { keytype: "rsa", scheme: "rsassa-pss-sha256", keyval: { public: pem(rsa.publicKey) } },
      signature: () => sign("sha256", SIGNED, { key: rsa.privateKey, padding: 6, saltLength: 32 }),
    },
  ];

  it.each(kinds)("of type $name counts with its own signature alone", ({ json, signature }) => {
    const good = signature().toString("hex");
    expect(countSigners(SIGNED, new Map([["k", good]]), ring({ k: json }))).toBe(1);
    expect(countSigners(Buffer.from("other"), new Map([["k", good]]), ring({ k: json }))).toBe(0);
    for (const bad of ["", "zz", good.slice(2), `0${good}`]) {
      expect(countSigners(SIGNED, new Map([["k", bad]]), ring({ k: json }))).toBe(0);
    }
  });

  it("counts once however many ids and encodings it has", () => {
    const [kind] = kinds;
    const json = kind?.json ?? {};
    const again = { ...json, keytype: "ecdsa-sha2-nistp256", note: "the same key" };
    const good = kind?.signature().toString("hex") ?? "";
    const signatures = new Map([
      ["a", good],
      ["b", good],
    ]);
    const both = ring({ a: json, b: again }, 2);
    expect(countSigners(SIGNED, signatures, both)).toBe(1);
    expect(() => requireThreshold(SIGNED, signatures, both, "it")).toThrow(
      expect.objectContaining({ code: "UPB-TRUST-SIGNATURES" }),
    );
  });

  it("of an unknown type is kept and vouches for nothing", () => {
    const json = { keytype: "sphincs", scheme: "sphincs-shake", keyval: { public: "00" } };
    expect(countSigners(SIGNED, new Map([["k", "00"]]), ring({ k: json }))).toBe(0);
  });

  it.each([
    [{ keytype: "ed25519", scheme: "ed25519", keyval: { public: "00" } }],
    [{ keytype: "ed25519", scheme: "ed25519", keyval: {} }],
    [{ keytype: "ed25519", scheme: "ed25519" }],
    [{ keytype: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyval: { public: "no PEM" } }],
    [{ keytype: "ecdsa", scheme: "ecdsa-sha2-nistp256", keyval: { public: pem(rsa.publicKey) } }],
    [{ keytype: "rsa", scheme: "rsassa-pss-sha256", keyval: { public: pem(ec.publicKey) } }],
  ])("like %j is refused", (json) => {
    expect(() => parseKey("k", json, "it")).toThrow(
      expect.objectContaining({ code: "UPB-TRUST-MALFORMED" }),
    );
  });

  it("that is private, weak or on another curve is refused", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
    const other = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey;
    const secret = ec.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    for (const [keytype, scheme, text] of [
      ["rsa", "rsassa-pss-sha256", pem(weak)],
      ["ecdsa", "ecdsa-sha2-nistp256", pem(other)],
      ["ecdsa", "ecdsa-sha2-nistp256", secret],
    ]) {
      expect(() => parseKey("k", { keytype, scheme, keyval: { public: text } }, "it")).toThrow(
        expect.objectContaining({ code: "UPB-TRUST-MALFORMED" }),
      );
    }
  });

  it("set has a hash that changes with its keys and threshold, not with their order or names", () => {
    const hex = (digit: string) => ({
      keytype: "ed25519",
      scheme: "ed25519",
      keyval: { public: digit.repeat(64) },
    });
    const hash = keySetHash(ring({ a: hex("1"), b: hex("2") }));
    expect(keySetHash(ring({ y: hex("2"), x: hex("1") }))).toBe(hash);
    expect(keySetHash(ring({ a: hex("1"), b: hex("2") }, 2))).not.toBe(hash);
    expect(keySetHash(ring({ a: hex("1"), b: hex("3") }))).not.toBe(hash);
  });
});
