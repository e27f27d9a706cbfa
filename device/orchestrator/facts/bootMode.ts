/** `boot.*`: whether the machine was started by UEFI or by a BIOS, and under Secure Boot. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";

/** UEFI specification 2.10, section 3.3: the variable and its vendor. */
const SECURE_BOOT = "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

export function bootFacts(root: string): Facts {
  const efi = join(root, "sys/firmware/efi");
  if (!existsSync(efi)) return { "boot.mode": "bios" };
  const secure = secureBoot(join(efi, "efivars", SECURE_BOOT));
  return { "boot.mode": "uefi", ...(secure === undefined ? {} : { "boot.secure": secure }) };
}

/** Four bytes of attributes, then the value. Undefined: the variable cannot be read. */
function secureBoot(path: string): boolean | undefined {
  try {
    return readFileSync(path).at(4) === 1;
  } catch {
    return undefined;
  }
}
