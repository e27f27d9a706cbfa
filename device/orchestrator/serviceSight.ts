/** What the orchestrator sees of the update service, and since when it sees nothing of it. */
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceStatus } from "../../protocol/updateServiceApi.ts";
import type { UpdateServiceCalls } from "./updateServiceCalls.ts";

export interface ServiceSight {
  /** Undefined: it does not answer, which is a state to show and not an error of whoever asks. */
  status(): Promise<ServiceStatus | undefined>;
  /** When it was first found not to answer; undefined while it does. */
  awayMs(): number | undefined;
}

/** `observe` hears of all that it says of itself. */
export function serviceSight(
  calls: Pick<UpdateServiceCalls, "status">,
  observe: (status: ServiceStatus) => void,
  now: () => number,
): ServiceSight {
  let awayMs: number | undefined;
  return {
    async status() {
      try {
        const status = await calls.status();
        awayMs = undefined;
        observe(status);
        return status;
      } catch (error) {
        if (!(error instanceof UpbeatError && error.code.startsWith("UPB-LOCAL-"))) throw error;
        awayMs ??= now();
        return undefined;
      }
    },
    awayMs: () => awayMs,
  };
}
