/**
 * One bar over everything that a change still has to do: it never jumps back and never stands at
 * the end while something is left (windows-update.md 5, row 7).
 */
import type { Change } from "../../../protocol/orchestratorApi.ts";
import type { Progress, UpdateRecord } from "../../../protocol/updateServiceApi.ts";

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
  "verify",
]);

/** The share that each phase usually has of the time of one install, in its order. */
const SHARES: readonly (readonly [Phase, number])[] = [
  ["refresh-metadata", 3],
  ["verify", 8], // what is here already
  ["plan", 2],
  ["download", 55],
  ["stage", 18],
  ["switch", 2],
  ["health-check", 10],
  ["commit", 2],
];
const WHOLE = SHARES.reduce((sum, [, share]) => sum + share, 0);

/** 0 to 1; undefined: nobody can say, e.g. while something is undone. */
export function fractionOf(change: Change): number | undefined {
  const { kind } = change.request;
  if (kind !== "install" && kind !== "download") return undefined;
  const { progress, updates } = change;
  if (progress === undefined || progress.phase === "rollback" || updates.length === 0) {
    return undefined;
  }
  const done = updates.filter((record) => isDone(kind, record)).length;
  const current = updates.length > done ? withinOne(kind, progress) : 0;
  return Math.min(1, (done + current) / updates.length);
}

function withinOne(kind: "install" | "download", progress: Progress): number {
  const at = SHARES.findIndex(([phase]) => phase === progress.phase);
  const before = SHARES.slice(0, at).reduce((sum, [, share]) => sum + share, 0);
  const inPhase = (SHARES[at]?.[1] ?? 0) * inThisPhase(progress);
  const whole = kind === "install" ? WHOLE : shareUpTo("download");
  return Math.min(1, (before + inPhase) / whole);
}

const inThisPhase = ({ doneBytes, totalBytes }: Progress): number =>
  totalBytes === 0 ? 0 : Math.min(1, doneBytes / totalBytes);

function shareUpTo(last: Phase): number {
  const end = SHARES.findIndex(([phase]) => phase === last);
  return SHARES.slice(0, end + 1).reduce((sum, [, share]) => sum + share, 0);
}

const isDone = (kind: "install" | "download", { state }: UpdateRecord): boolean =>
  state === "installed" ||
  state === "restart-pending" ||
  (kind === "download" && state === "downloaded");

/** Too early to say anything that would hold. */
const FIRST_GUESS_MS = 2_000;
const FIRST_GUESS_FRACTION = 0.02;

/** How long this step still takes at the speed that it has had; undefined: too early to say. */
export function stepLeftMs(progress: Progress, nowMs: number): number | undefined {
  const lastedMs = nowMs - progress.sinceMs;
  const fraction = inThisPhase(progress);
  if (lastedMs < FIRST_GUESS_MS || fraction < FIRST_GUESS_FRACTION) return undefined;
  return (lastedMs * (1 - fraction)) / fraction;
}
