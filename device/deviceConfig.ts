/** What `upbeat device enrol` left: read anew each time, so that an enrolment counts at once. */
import { readFileSync } from "node:fs";
import { DeviceConfig } from "../protocol/deviceApi.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { DevicePaths } from "./paths.ts";

/** Undefined: this machine is not enrolled. Errors: UPB-DEVICE-CONFIG. */
export function readDeviceConfig(paths: DevicePaths): DeviceConfig | undefined {
  try {
    return DeviceConfig.parse(JSON.parse(readFileSync(paths.config, "utf8")));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new UpbeatError("UPB-DEVICE-CONFIG", { object: paths.config, cause });
  }
}
