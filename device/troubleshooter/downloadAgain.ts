/** Asks the update service for a download whose content was damaged, and waits for its end. */
import { setTimeout as wait } from "node:timers/promises";
import { formatUpdate, type UpdateId } from "../../protocol/ids.ts";
import { JobAccepted, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import { callLocal } from "../localClient.ts";
import type { DevicePaths } from "../paths.ts";

const PATIENCE_MS = 20_000;
const POLL_MS = 200;

/** What became of it, in words. Errors: UPB-LOCAL-*, UPB-INSTALL-BUSY. */
export async function downloadAgain(paths: DevicePaths, found: UpdateId): Promise<string> {
  const { product, version, manifestSha256 } = found;
  const socket = paths.updateServiceSocket;
  const update = { product, version, manifestSha256 };
  await callLocal(socket, "POST", "/v1/jobs", JobAccepted, { kind: "download", update });
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; ) {
    const { updates } = await callLocal(socket, "GET", "/v1/status", ServiceStatus);
    const record = updates.find((it) => it.manifestSha256 === manifestSha256);
    if (record?.state === "failed")
      return `${formatUpdate(update)} could not be fetched: ${record.error?.text ?? "unknown"}`;
    if (record?.state === "downloaded")
      return `fetched what was missing of ${formatUpdate(update)}`;
    await wait(POLL_MS);
  }
  return `${formatUpdate(update)} is being fetched`;
}
