/**
 * Asks the orchestrator for a change and follows it to its end, drawing its progress.
 *
 * The change belongs to the orchestrator: Ctrl-C ends the watching, not the change.
 * Errors: the error of the change itself; UPB-CLI-INTERRUPTED; those of `device/localClient.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { requestChange } from "../device/deviceCalls.ts";
import { callLocal } from "../device/localClient.ts";
import { devicePaths } from "../device/paths.ts";
import { errorFromReport, UpbeatError } from "../protocol/errors/error.ts";
import { Change, type ChangeRequest } from "../protocol/orchestratorApi.ts";
import type { PHASES } from "../protocol/updateServiceApi.ts";
import type { Session } from "./command.ts";

const POLL_MS = 120;

export async function followChange(
  session: Session,
  root: string,
  request: ChangeRequest,
): Promise<Change> {
  const socket = devicePaths(root).orchestratorSocket;
  const { interrupted } = session.world;
  let change = await requestChange(root, request);
  while (change.state === "waiting" || change.state === "running") {
    session.progress.show({
      text: describe(change),
      doneBytes: change.progress?.doneBytes,
      totalBytes: change.progress?.totalBytes,
      whole: change.whole,
    });
    // Aborting the wait is how Ctrl-C arrives; the loop's next line says so.
    await sleep(POLL_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) {
      throw new UpbeatError("UPB-CLI-INTERRUPTED", {
        object: `the ${request.kind} goes on in the background`,
      });
    }
    change = await callLocal(socket, "GET", `/v1/changes/${change.id}`, Change);
  }
  if (change.state === "failed") {
    session.progress.end("failed");
    if (change.error) throw errorFromReport(change.error);
    throw new UpbeatError("UPB-INTERNAL-BUG", { object: `change ${change.id} gave no reason` });
  }
  session.progress.end("done");
  return change;
}

const PHASE_WORDS: Record<(typeof PHASES)[number], string> = {
  "refresh-metadata": "Verify signed metadata",
  plan: "Work out what to fetch",
  download: "Download",
  apply: "Build new files from the ones that are here",
  verify: "Verify every byte",
  stage: "Put the new version in place beside the old",
  switch: "Switch to the new version",
  "health-check": "Check its health",
  commit: "Keep it",
  rollback: "Go back to the old version",
  inspect: "Compare every file with what was signed",
  mend: "Put damaged files right",
  provider: "Let the provider work",
};

const WAITING_WORDS: Record<ChangeRequest["kind"], string> = {
  check: "Ask the server",
  download: "Prepare the download",
  install: "Prepare the install",
  rollback: "Go back to the old version",
  uninstall: "Remove it",
  plan: "Work out the download",
  verify: "Prepare the check",
};

function describe(change: Change): string {
  if (change.state === "waiting") return "Wait for the work before it";
  if (change.progress === undefined) return WAITING_WORDS[change.request.kind];
  return PHASE_WORDS[change.progress.phase];
}
