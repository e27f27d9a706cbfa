/** Asks the update service to compare an installed product with its list and mend it; waits for its end. */
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { Product } from "../../protocol/ids.ts";
import { HistoryEntry, JobAccepted } from "../../protocol/updateServiceApi.ts";
import { callLocal } from "../localClient.ts";
import type { DevicePaths } from "../paths.ts";

const PATIENCE_MS = 20_000;
const POLL_MS = 200;

/** What became of it, in words. Errors: UPB-LOCAL-*, UPB-INSTALL-BUSY. */
export async function verifyInstalled(paths: DevicePaths, product: Product): Promise<string> {
  const socket = paths.updateServiceSocket;
  const Entries = z.object({ entries: z.array(HistoryEntry) });
  const job = { kind: "verify", product };
  const { jobId } = await callLocal(socket, "POST", "/v1/jobs", JobAccepted, job);
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; ) {
    const { entries } = await callLocal(socket, "GET", "/v1/history?limit=10", Entries);
    const entry = entries.find(({ id }) => id === jobId);
    if (entry?.error !== undefined)
      return `${product} could not be mended: ${entry.error.text}: ${entry.error.object}`;
    if (entry !== undefined) return `mended ${product}`;
    await wait(POLL_MS);
  }
  return `${product} is being mended`;
}
