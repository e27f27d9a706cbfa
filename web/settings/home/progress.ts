/** Which of the words that people use for what goes on fits a change at this moment. */
import type { Change } from "../../../protocol/orchestratorApi.ts";
import type { Progress } from "../../../protocol/updateServiceApi.ts";

type Phase = Progress["phase"];

/** What people call it: an install first downloads. */
export function stageOf({ request, progress }: Change): Change["request"]["kind"] {
  const isDownloading = progress === undefined || DOWNLOADING.has(progress.phase);
  return request.kind === "install" && isDownloading ? "download" : request.kind;
}

const DOWNLOADING: ReadonlySet<Phase> = new Set<Phase>([
  "refresh-metadata",
  "plan",
  "download",
  "apply",
  "verify",
]);
