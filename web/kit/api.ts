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

/** The process that serves the page, as every call needs to know it. */
export interface Behind {
  /** What the page adds to every request, e.g. the second half of its session. */
  headers(): Readonly<Record<string, string>>;
  /** The only error that a page itself has to word: nobody is there who could. */
  readonly away: Pick<ErrorReport, "code" | "text" | "remedy">;
}

const TIMEOUT_MS = 70_000;

export async function callApi<Answer>(
  behind: Behind,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        ...behind.headers(),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw awayError(behind, String(error));
  }
  if (!response.ok) throw await refusal(behind, response);
  // The process is the same version as the page that it served: its answers need no second look.
  return (await response.json().catch(() => undefined)) as Answer;
}

/** What an answer says that is no success. */
export async function refusal(behind: Behind, response: Response): Promise<ReportedError> {
  const json: unknown = await response.json().catch(() => undefined);
  return isReport(json) ? new ReportedError(json) : awayError(behind, `status ${response.status}`);
}

export const awayError = ({ away }: Behind, detail: string): ReportedError =>
  new ReportedError({ ...UNEXPLAINED, ...away, object: location.host, detail });

export const reportOf = (error: unknown): ErrorReport =>
  error instanceof ReportedError ? error.report : { ...UNEXPLAINED, object: String(error) };

function isReport(json: unknown): json is ErrorReport {
  return typeof json === "object" && json !== null && "code" in json && "remedy" in json;
}

/** The row UPB-INTERNAL-BUG of the catalogue, which is too large to come along. */
const UNEXPLAINED: Omit<ErrorReport, "object"> = {
  code: "UPB-INTERNAL-BUG",
  stage: "service",
  text: "Something happened that nobody expected",
  remedy: "Load the page again; if it comes back, report it with its details",
  retry: "user",
  causes: [],
};
