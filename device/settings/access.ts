/**
 * What the account that runs this process may do on this device. The kernel decides, by the modes
 * of the files that matter; there is no list of people of our own.
 */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import type { Access } from "../../protocol/settingsPageApi.ts";
import type { DevicePaths } from "../paths.ts";

/**
 * `administer`: may write the machine's configuration folder, as root and the administrators'
 * group may. `change`: may enter the folder of the services' sockets (0750, the group of Upbeat).
 */
export function accessOf(paths: DevicePaths): Access {
  if (may(dirname(paths.config), constants.W_OK)) return "administer";
  if (may(paths.run, constants.X_OK)) return "change";
  return "read";
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
