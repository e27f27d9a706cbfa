/**
 * What the server does by itself: the timestamp is kept fresh, looked at every minute so that a failure
 * is made good soon, and what nothing needs any more is removed.
 */
import type { Logger } from "pino";
import type { Publishing } from "./publishing/publishing.ts";

const RENEW_EVERY_MS = 60_000;
const COLLECT_EVERY_MS = 6 * 60 * 60 * 1000;

export function keepUp(
  publishing: Pick<Publishing, "renewIfDue" | "collect">,
  log: Pick<Logger, "info" | "error">,
): { readonly first: Promise<void>; stop(): void } {
  const renew = async (): Promise<void> => {
    try {
      if (await publishing.renewIfDue()) log.info("the timestamp was signed again");
    } catch (error) {
      log.error({ err: error }, "the timestamp could not be signed again");
    }
  };
  const collect = async (): Promise<void> => {
    try {
      const { files, sizeBytes } = await publishing.collect();
      if (files > 0) log.info({ files, sizeBytes }, "what nothing needed any more was removed");
    } catch (error) {
      log.error({ err: error }, "what is not needed could not be told; nothing was removed");
    }
  };
  const first = renew();
  const timers = [setInterval(renew, RENEW_EVERY_MS), setInterval(collect, COLLECT_EVERY_MS)];
  return { first, stop: () => timers.forEach(clearInterval) };
}
