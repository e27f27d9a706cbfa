/**
 * Every decision of the orchestrator with what it was decided from, so that it can be decided again.
 *
 *   GET /v1/decisions?limit=N   -> { decisions: DecisionRecord[] }   newest first
 *   GET /v1/decisions/:id       -> DecisionReplay                    decided again, from what was kept
 */
import { z } from "zod";

export const DecisionRecord = z.object({
  id: z.uuid(),
  atMs: z.int(),
  /** offers: which updates suit this machine · timing: what may happen when. */
  kind: z.enum(["offers", "timing"]),
  /** One plain sentence. */
  summary: z.string(),
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;

export const DecisionReplay = z.object({
  decision: DecisionRecord,
  inputs: z.json(),
  outcome: z.json(),
  /** What the same inputs lead to now. */
  replayed: z.json(),
  /** False: this version of Upbeat decides otherwise than the one that decided. */
  same: z.boolean(),
});
export type DecisionReplay = z.infer<typeof DecisionReplay>;
