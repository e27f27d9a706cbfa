import { UpbeatError } from "../../protocol/errors/upbeatError.ts";

export function malformed(detail: string): UpbeatError {
  return new UpbeatError("UPB-DELTA-MALFORMED", { object: "the patch", detail });
}
