/** Errors between processes: their wire form, and back. The class itself is in `upbeatError.ts`. */
import { z } from "zod";
import { CATALOGUE, type ErrorCode, RETRY_CLASSES, STAGES } from "./catalogue.ts";
import { UpbeatError } from "./upbeatError.ts";

export { reportError, UpbeatError } from "./upbeatError.ts";

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
