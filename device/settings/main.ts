/**
 * The Settings page's process: `main.ts --root DIR`, started on demand by `upbeat settings`. It runs
 * with the rights of whoever started it, needs neither service, and ends when nobody looks any more.
 * Logs JSON lines to stderr.
 */
import { setInterval } from "node:timers";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { reportError } from "../../protocol/errors/error.ts";
import { onEnd } from "../lifeline.ts";
import { devicePaths } from "../paths.ts";
import { startSettings } from "./settings.ts";

/** A page that is open counts as somebody who looks. */
const IDLE_MS = 15 * 60_000;
const IDLE_CHECK_MS = 30_000;

const log = pino({ base: { service: "settings", pid: process.pid } }, pino.destination(2));

try {
  const { values } = parseArgs({ options: { root: { type: "string", default: "/" } } });
  const settings = await startSettings(devicePaths(values.root), process.env, Date.now);
  onEnd(() => settings.stop());
  log.info({ address: settings.address, socket: settings.socket }, "listening");
  setInterval(() => {
    if (settings.idleMs() > IDLE_MS) process.kill(process.pid, "SIGTERM");
  }, IDLE_CHECK_MS);
} catch (error) {
  log.fatal({ error: reportError(error) }, "the Settings page cannot run");
  process.exit(1);
}
