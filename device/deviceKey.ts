/**
 * The device's own Ed25519 key. It is made here and never leaves: the server gets the public half.
 *
 * Errors: UPB-ENROL-STATE.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flushFolder } from "../content/durableFile.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { DevicePaths } from "./paths.ts";

const keyFile = (paths: DevicePaths): string => join(paths.orchestratorState, "device.key");

export function readDeviceKey(paths: DevicePaths): KeyObject {
  try {
    return createPrivateKey(readFileSync(keyFile(paths), "utf8"));
  } catch (cause) {
    throw new UpbeatError("UPB-ENROL-STATE", { object: keyFile(paths), cause });
  }
}

/** An enrolment that was interrupted left a key; using it again lets the server recognise it. */
export function makeOrReadDeviceKey(paths: DevicePaths): KeyObject {
  const { privateKey } = generateKeyPairSync("ed25519");
  try {
    mkdirSync(paths.orchestratorState, { recursive: true, mode: 0o700 });
    // Exclusive: never written over, and never written through a link that somebody left there.
    const file = openSync(keyFile(paths), "wx", 0o600);
    try {
      writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    flushFolder(paths.orchestratorState);
    return privateKey;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") {
      return readDeviceKey(paths);
    }
    throw new UpbeatError("UPB-ENROL-STATE", { object: keyFile(paths), cause });
  }
}

/** Raw 32 bytes in base64url, as `EnrolRequest` wants them. */
export function publicKeyText(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: "jwk" }).x ?? "";
}
