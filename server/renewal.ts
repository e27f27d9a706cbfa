/** Keeps the timestamp fresh: looked at every minute, so that a failure is made good soon. */
import type { Logger } from "pino";
import type { Publishing } from "./publishing/publishing.ts";

const EVERY_MS = 60_000;

export function keepRenewing(
  publishing: Pick<Publishing, "renewIfDue">,
  log: Pick<Logger, "info" | "error">,
): { readonly first: Promise<void>; stop(): void } {
  const renew = async (): Promise<void> => {
    try {
      if (await publishing.renewIfDue()) log.info("the timestamp was signed again");
    } catch (error) {
      log.error({ err: error }, "the timestamp could not be signed again");
    }
  };
  const first = renew();
  const timer = setInterval(renew, EVERY_MS);
  return { first, stop: () => clearInterval(timer) };
}
