/**
 * Makes this machine one that is kept up to date by a server.
 *
 * The server's first root is believed only when its SHA-256 is the one in the token, which came
 * another way. The configuration is written last: an enrolment that was interrupted anywhere before
 * leaves the machine not enrolled, and running it again completes it.
 * Errors: UPB-ENROL-ALREADY, UPB-ENROL-WRONG-ROOT, UPB-ENROL-STATE, UPB-DEVICE-CONFIG, and those of
 * the network and of the server.
 */
import { createHash } from "node:crypto";
import { boundedFetch } from "../content/boundedFetch.ts";
import { writeDurably } from "../content/durableFile.ts";
import { serverUrl } from "../content/metadataSource.ts";
import { DeviceConfig, type EnrolRequest, EnrolResponse } from "../protocol/deviceApi.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Sha256 } from "../protocol/ids.ts";
import { readDeviceConfig } from "./deviceConfig.ts";
import { makeOrReadDeviceKey, publicKeyText } from "./deviceKey.ts";
import { type DevicePaths, devicePaths } from "./paths.ts";
import { postJson } from "./postJson.ts";

export interface Enrolment {
  readonly root: string;
  readonly serverUrl: string;
  /** A parsed `EnrolToken`. */
  readonly token: { readonly secret: string; readonly rootSha256: Sha256 };
  readonly name: string;
  readonly products: DeviceConfig["products"];
  /** Enrols once more at the server where this machine is enrolled already. */
  readonly force?: boolean;
}

const MAX_ROOT_BYTES = 512_000;

export async function enrol(enrolment: Enrolment): Promise<DeviceConfig> {
  const paths = devicePaths(enrolment.root);
  const server = new URL(enrolment.serverUrl);
  refuseWhenEnrolled(paths, enrolment, server);
  const trustedRoot = await firstRoot(server, enrolment.token.rootSha256);
  const key = makeOrReadDeviceKey(paths);
  const { deviceId } = await postJson({
    url: serverUrl(server, "api/v1/devices/enrol"),
    body: Buffer.from(
      JSON.stringify({
        token: enrolment.token.secret,
        publicKey: publicKeyText(key),
        name: enrolment.name,
      } satisfies EnrolRequest),
    ),
    answer: EnrolResponse,
  });
  const config = DeviceConfig.parse({
    serverUrl: server.href,
    deviceId,
    name: enrolment.name,
    products: enrolment.products,
  });
  write(paths.trustedRoot, trustedRoot, 0o444);
  write(paths.config, `${JSON.stringify(config, undefined, 2)}\n`, 0o644);
  return config;
}

function refuseWhenEnrolled(paths: DevicePaths, enrolment: Enrolment, server: URL): void {
  const config = readDeviceConfig(paths);
  if (config === undefined) return;
  if (enrolment.force === true && new URL(config.serverUrl).href === server.href) return;
  throw new UpbeatError("UPB-ENROL-ALREADY", {
    object: paths.config,
    detail: `as ${config.deviceId} at ${config.serverUrl}`,
  });
}

async function firstRoot(server: URL, expected: Sha256): Promise<Uint8Array> {
  const url = serverUrl(server, "metadata/1.root.json");
  const answer = await boundedFetch(url, { maxBytes: MAX_ROOT_BYTES });
  const found = createHash("sha256").update(answer.bytes).digest("hex");
  if (answer.status === 200 && found === expected) return answer.bytes;
  throw new UpbeatError("UPB-ENROL-WRONG-ROOT", {
    object: url.href,
    detail:
      answer.status === 200 ? `expected ${expected}, found ${found}` : `status ${answer.status}`,
  });
}

function write(path: string, bytes: Uint8Array | string, mode: number): void {
  try {
    writeDurably(path, bytes, mode);
  } catch (cause) {
    throw new UpbeatError("UPB-ENROL-STATE", { object: path, cause });
  }
}
