/**
 * The life of one update on one device: state -> event -> next state, and what a restart does.
 *
 * Pure: no clock, no disk, no network. Whoever does the work of a state writes the state durably
 * BEFORE the work starts, so after a crash or a power cut the device wakes in the same state and
 * follows `AFTER_CRASH`. All work is therefore safe to repeat.
 *
 * `offered`, `held` and `superseded` belong to the orchestrator, which decides; the
 * states from `downloading` on belong to the update service, which does.
 */
import type { UpdateState } from "../protocol/updateServiceApi.ts";

// biome-ignore format: the columns carry the meaning
export const TRANSITIONS = {
  offered:           { download: "downloading", hold: "held", pause: "paused", supersede: "superseded" },
  held:              { release: "offered", supersede: "superseded" },
  paused:            { resume: "offered", supersede: "superseded", download: "downloading" },
  superseded:        { offer: "offered", restore: "installed", download: "downloading" },
  downloading:       { downloaded: "downloaded", fail: "failed", pause: "paused" },
  downloaded:        { install: "installing", supersede: "superseded", fail: "failed", download: "downloading" },
  installing:        { needRestart: "restart-pending", switched: "committing", pause: "downloaded", fail: "failed", undo: "rolling-back" },
  "restart-pending": { restarted: "committing", undo: "rolling-back" },
  committing:        { healthy: "installed", undo: "rolling-back" },
  installed:         { uninstall: "uninstalling", undo: "rolling-back", replaced: "superseded", repair: "downloading" },
  "rolling-back":    { undone: "rolled-back" },
  "rolled-back":     { download: "downloading", supersede: "superseded" },
  uninstalling:      { uninstalled: "uninstalled", fail: "failed" },
  uninstalled:       { download: "downloading", offer: "offered" },
  failed:            { download: "downloading", install: "installing", undo: "rolling-back", hold: "held", supersede: "superseded" },
} as const satisfies Record<UpdateState, Readonly<Record<string, UpdateState>>>;

export type UpdateEvent = { [S in UpdateState]: keyof (typeof TRANSITIONS)[S] }[UpdateState];

/** What the update service does with a record that it finds in this state when it starts. */
export type Recovery = "rest" | "redo" | "await-restart";

// biome-ignore format: one row a state, as in the table above
export const AFTER_CRASH: Record<UpdateState, { recovery: Recovery; because: string }> = {
  offered:           { recovery: "rest", because: "nothing was started" },
  held:              { recovery: "rest", because: "a decision, not work" },
  paused:            { recovery: "rest", because: "goes on when it is asked for again" },
  superseded:        { recovery: "rest", because: "nothing left to do" },
  downloading:       { recovery: "redo", because: "what arrived whole is kept; the rest is fetched again" },
  downloaded:        { recovery: "rest", because: "waits for the orchestrator" },
  installing:        { recovery: "redo", because: "the old version runs until the switch; staging starts again" },
  "restart-pending": { recovery: "await-restart", because: "goes on only when the machine has restarted" },
  committing:        { recovery: "redo", because: "the switch is repeated, health is asked again" },
  installed:         { recovery: "rest", because: "nothing left to do" },
  "rolling-back":    { recovery: "redo", because: "switching back is safe to repeat" },
  "rolled-back":     { recovery: "rest", because: "nothing left to do" },
  uninstalling:      { recovery: "redo", because: "removing is safe to repeat" },
  uninstalled:       { recovery: "rest", because: "nothing left to do" },
  failed:            { recovery: "rest", because: "waits for a decision" },
};

/** The next state, or undefined when the table has no such row (the caller names the bug). */
export function nextState(state: UpdateState, event: UpdateEvent): UpdateState | undefined {
  const row: Partial<Record<UpdateEvent, UpdateState>> = TRANSITIONS[state];
  return row[event];
}
