/**
 * The only error class that crosses a module boundary.
 *
 * Every code is a row of the catalogue (`catalogue.ts`), which says at which stage it happens, what
 * it means, what usually causes it, what to do, and whether trying again can help. The error itself
 * adds the facts of this one case: the object concerned, a detail, and the cause kept whole.
 */
import { z } from "zod";
import { CATALOGUE, type ErrorCode, RETRY_CLASSES, STAGES } from "./catalogue.ts";

export interface ErrorFacts {
  /** What it happened to: a file, an update, a URL, a service. */
  object: string;
  /** The facts: `expected <x>, found <y>`. */
  detail?: string;
  /** The error underneath, kept whole. */
  cause?: unknown;
  /** The code of the program or system call underneath, e.g. `ENOSPC` or an exit status. */
  nativeCode?: string | number;
}

export class UpbeatError extends Error {
  override readonly name = "UpbeatError";
  readonly code: ErrorCode;
  readonly object: string;
  readonly detail: string | undefined;
  readonly nativeCode: string | number | undefined;

  constructor(code: ErrorCode, facts: ErrorFacts) {
    const row = CATALOGUE[code];
    super(`${row.text}: ${facts.object}${facts.detail === undefined ? "" : ` (${facts.detail})`}`, {
      cause: facts.cause,
    });
    this.code = code;
    this.object = facts.object;
    this.detail = facts.detail;
    this.nativeCode = facts.nativeCode ?? nativeCodeOf(facts.cause);
  }
}

/** The wire form of an error, between processes and to `--json`. */
export const ErrorReport = z.object({
  code: z.string().max(80),
  stage: z.enum(STAGES),
  object: z.string(),
  text: z.string(),
  detail: z.string().optional(),
  remedy: z.string(),
  retry: z.enum(RETRY_CLASSES),
  nativeCode: z.union([z.string(), z.number()]).optional(),
  /** Messages of the causes underneath, nearest first. */
  causes: z.array(z.string()),
});
export type ErrorReport = z.infer<typeof ErrorReport>;

export function reportError(error: unknown): ErrorReport {
  if (!(error instanceof UpbeatError)) {
    return reportError(
      new UpbeatError("UPB-INTERNAL-BUG", {
        object: error instanceof Error ? error.message : String(error),
        cause: error,
      }),
    );
  }
  const row = CATALOGUE[error.code];
  return {
    code: error.code,
    stage: row.stage,
    object: error.object,
    text: row.text,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    remedy: row.remedy,
    retry: row.retry,
    ...(error.nativeCode === undefined ? {} : { nativeCode: error.nativeCode }),
    causes: causesOf(error),
  };
}

/** The other direction: an error that another process of ours reported. */
export function errorFromReport(report: ErrorReport): UpbeatError {
  if (!(report.code in CATALOGUE)) {
    return new UpbeatError("UPB-INTERNAL-BUG", {
      object: report.object,
      detail: `unknown error code ${report.code}: ${report.text}`,
    });
  }
  // The check above makes the code a key of the catalogue.
  return new UpbeatError(report.code as ErrorCode, {
    object: report.object,
    ...(report.detail === undefined ? {} : { detail: report.detail }),
    ...(report.nativeCode === undefined ? {} : { nativeCode: report.nativeCode }),
    ...(report.causes[0] === undefined ? {} : { cause: new Error(report.causes[0]) }),
  });
}

function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  while (cause instanceof Error && causes.length < 8) {
    causes.push(cause.message);
    cause = cause.cause;
  }
  return causes;
}

function nativeCodeOf(cause: unknown): string | undefined {
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string")
    return cause.code;
  return undefined;
}
