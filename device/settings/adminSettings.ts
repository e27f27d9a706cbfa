/**
 * Changes the administrator's settings of this machine, `etc/upbeat/settings.json`, with the rights
 * of whoever opened the page. The orchestrator reads the file anew for its next decision.
 *
 * Errors: UPB-SETTINGS-FILE when what is there cannot be read or written.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeDurably } from "../../content/durableFile.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { AdminSettings } from "../../protocol/settings.ts";
import type { PolicyChange } from "../../protocol/settingsPageApi.ts";
import type { DevicePaths } from "../paths.ts";

export function changeAdminSettings(paths: DevicePaths, { set, unset }: PolicyChange): void {
  const file = paths.settings;
  try {
    const before = existsSync(file)
      ? AdminSettings.parse(JSON.parse(readFileSync(file, "utf8")))
      : {};
    const next: Record<string, unknown> = { ...before, ...set };
    for (const key of unset) delete next[key];
    const text = `${JSON.stringify(AdminSettings.parse(next), undefined, 2)}\n`;
    writeDurably(file, Buffer.from(text), 0o644);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new UpbeatError("UPB-SETTINGS-FILE", { object: file, detail, cause });
  }
}
