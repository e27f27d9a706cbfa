/**
 * The only error class that crosses a module boundary.
 *
 * Every code is a row of the catalogue (`catalogue.ts`), which says at which stage it happens, what
 * it means, what usually causes it, what to do, and whether trying again can help. The error itself
 * adds the facts of this one case: the object concerned, a detail, and the cause kept whole.
 *
 * Without schemas, so that the processes that are started for each download start fast.
 */
import { CATALOGUE, type ErrorCode } from "./catalogue.ts";
import type { ErrorReport } from "./error.ts";

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
