/**
 * How an update comes onto a machine: worked out before anything large is fetched, shown by
 * `upbeat download --plan`, and kept with what came of it. Sizes are bytes, times milliseconds.
 */
import { z } from "zod";
import { ErrorReport } from "./errors/error.ts";

const Count = z.int().nonnegative();

/**
 * here: content that the machine has under any name · patches: old files and a difference ·
 * files: whole files, alone or packed together · description: the lists that say what is where.
 */
export const PLAN_SOURCES = ["here", "patches", "files", "description"] as const;

export const PlanPart = z.object({
  source: z.enum(PLAN_SOURCES),
  /** Contents; for `patches` how many of them follow one another. */
  count: Count,
  bytes: Count,
  /** None for what is here. */
  requests: Count,
});
export type PlanPart = z.infer<typeof PlanPart>;

export const DownloadPlan = z.object({
  plannedMs: z.int(),
  /** nothing: all of it is here already. */
  way: z.enum(["nothing", "patches", "files"]),
  parts: z.array(PlanPart),
  /** To fetch, all parts together. */
  bytes: Count,
  requests: Count,
  /** What a machine that has nothing fetches. */
  wholeBytes: Count,
  /** By the speed of the last download; absent when there was none. */
  estimateMs: Count.optional(),
  /** Fetching and making it; absent until that is done. */
  tookMs: Count.optional(),
  /** Why a cheaper way was not taken, or was left: the download went on with whole files. */
  fellBack: z.array(ErrorReport).max(20),
});
export type DownloadPlan = z.infer<typeof DownloadPlan>;
