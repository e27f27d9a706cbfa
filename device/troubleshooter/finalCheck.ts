/**
 * A check for updates, as the orchestrator makes it: the proof that what is repaired works, because
 * a check goes the whole way, from the socket to verified metadata.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Change } from "../../protocol/orchestratorApi.ts";
import { callLocal } from "../localClient.ts";
import type { DevicePaths } from "../paths.ts";

const PATIENCE_MS = 20_000;
const POLL_MS = 150;

export interface FinalCheck {
  readonly outcome: "worked" | "failed" | "not-tried";
  readonly says: string;
}

/** Never throws: that it cannot be made is an answer too. */
export async function checkNow(paths: DevicePaths, patienceMs = PATIENCE_MS): Promise<FinalCheck> {
  const socket = paths.orchestratorSocket;
  try {
    const request = { kind: "check", full: true };
    let change = await callLocal(socket, "POST", "/v1/changes", Change, request);
    const untilMs = performance.now() + patienceMs;
    while (change.state === "waiting" || change.state === "running") {
      if (performance.now() > untilMs)
        return { outcome: "not-tried", says: "the check did not end in time" };
      await wait(POLL_MS);
      change = await callLocal(socket, "GET", `/v1/changes/${change.id}`, Change);
    }
    const { error, check } = change;
    if (error !== undefined)
      return { outcome: "failed", says: `${error.text}: ${error.object} (${error.code})` };
    const offers = check?.offers.length ?? 0;
    return { outcome: "worked", says: `it worked, ${offers} offered` };
  } catch (error) {
    return { outcome: "not-tried", says: error instanceof Error ? error.message : String(error) };
  }
}
