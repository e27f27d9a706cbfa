import { UpbeatError } from "../../protocol/errors/error.ts";

export function malformed(detail: string): UpbeatError {
  return new UpbeatError("UPB-DELTA-MALFORMED", { object: "the patch", detail });
}
