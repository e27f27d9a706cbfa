/** Ed25519 public keys as metadata spells them (TUF specification 4.2.2). */
import { createHash } from "node:crypto";
import { canonicalJson } from "../canonicalJson.ts";

/** `publicHex`: the raw key, 64 hex digits. */
export const keyObject = (publicHex: string) => ({
  keytype: "ed25519" as const,
  scheme: "ed25519" as const,
  keyval: { public: publicHex },
});

/** SHA-256 of the key object's canonical form; other clients refuse any other id. */
export const keyIdOf = (publicHex: string): string =>
  createHash("sha256")
    .update(canonicalJson(keyObject(publicHex)))
    .digest("hex");
