/** How long a server asked to wait: the seconds of Retry-After (RFC 9110, 10.2.3) in an error. */
import { UpbeatError } from "../../protocol/errors/error.ts";

/** 0 when it asked for nothing, or for a date, which a wrong clock would turn into nonsense. */
export function askedWaitMs(error: unknown): number {
  if (!(error instanceof UpbeatError) || error.code !== "UPB-FETCH-SERVER-BUSY") return 0;
  const seconds = /Retry-After: (\d{1,9})\b/.exec(error.detail ?? "")?.[1];
  return seconds === undefined ? 0 : Number(seconds) * 1_000;
}
