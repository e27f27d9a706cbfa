/**
 * Calls the JSON API of the process that serves the page. Failures are `ErrorReport`s, whether the
 * process said no, is gone, or answered something else.
 */
import type { ErrorReport } from "../../protocol/errors/error.ts";

/** An error that a page can show: what went wrong, why, and what to do. */
export class ReportedError extends Error {
  readonly report: ErrorReport;
  constructor(report: ErrorReport) {
    super(report.text);
    this.report = report;
  }
}

/** What the page adds to every request, e.g. the second half of its session. */
export type RequestHeaders = () => Readonly<Record<string, string>>;

const TIMEOUT_MS = 70_000;

export async function callApi<Answer>(
  headers: RequestHeaders,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...headers(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new ReportedError(gone(String(error)));
  }
  const json: unknown = await response.json().catch(() => undefined);
  // The process is the same version as the page that it served: its answers need no second look.
  if (response.ok) return json as Answer;
  throw new ReportedError(isReport(json) ? json : gone(`status ${response.status}`));
}

export const reportOf = (error: unknown): ErrorReport =>
  error instanceof ReportedError ? error.report : gone(String(error));

function isReport(json: unknown): json is ErrorReport {
  return typeof json === "object" && json !== null && "code" in json && "remedy" in json;
}

/** The only error that the page itself has to word: nobody is there who could. */
function gone(detail: string): ErrorReport {
  return {
    code: "UPB-PAGE-NO-SESSION",
    stage: "service",
    object: location.host,
    text: "The process behind this page does not answer",
    detail,
    remedy: "Open the page again with `upbeat settings`",
    retry: "user",
    causes: [],
  };
}
