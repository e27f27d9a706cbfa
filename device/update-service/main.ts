/**
 * The Update Service: verifies, downloads, installs, undoes. Root in production, no network of its own.
 *
 *   node device/update-service/main.ts --root DIR
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { reportError } from "../../protocol/errors/error.ts";
import { onEnd } from "../lifeline.ts";
import { listenLocally } from "../localServer.ts";
import { devicePaths } from "../paths.ts";
import { updateService } from "./service.ts";

const TIDY_EVERY_MS = 60 * 60_000;

const log = pino({ name: "update-service" }, pino.destination(2));

async function main(root: string): Promise<void> {
  // Whatever started it: what is installed can be read by all, files of its own say their mode.
  process.umask(0o022);
  const service = updateService({
    root,
    now: Date.now,
    bootId: () => readBootId(root),
    say: (message, facts) => log.info(facts, message),
    warn: (message, error) => log.warn(reportError(error), message),
  });
  onEnd(() => service.close());
  service.jobs.resume();
  await listenLocally(service.api, devicePaths(root).updateServiceSocket);
  setInterval(() => service.jobs.idleWork(), TIDY_EVERY_MS).unref();
  log.info({ root }, "the update service is ready");
}

/** A root folder of its own may bring one: a container restarts without its kernel. */
function readBootId(root: string): string {
  const path = "proc/sys/kernel/random/boot_id";
  const own = join(root, path);
  return readFileSync(existsSync(own) ? own : join("/", path), "utf8").trim();
}

const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
main(values.root).catch((error: unknown) => {
  log.fatal(reportError(error), "the update service cannot start");
  process.exit(1);
});
