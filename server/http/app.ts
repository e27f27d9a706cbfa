/** The HTTP server, put together from its parts. */
import { join } from "node:path";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import type { Changes } from "../console/changes.ts";
import { consoleSessions } from "../console/sessions.ts";
import { type AdminDeps, adminHandlers } from "./adminHandlers.ts";
import { changeStream } from "./changeStream.ts";
import { type ConsoleDeps, consoleHandlers } from "./consoleHandlers.ts";
import { consolePages } from "./consolePages.ts";
import { adminAdmission, consoleSession } from "./consoleSession.ts";
import { type DeviceDeps, deviceHandlers } from "./deviceHandlers.ts";
import { deviceSignature } from "./deviceSignature.ts";
import { answerErrors } from "./errors.ts";
import { fleetLockHandlers } from "./fleetLockHandlers.ts";
import { health } from "./health.ts";
import { metrics } from "./metrics.ts";
import { openApi } from "./openapi.ts";
import { staticFiles } from "./staticFiles.ts";

export type AppDeps = AdminDeps &
  ConsoleDeps &
  Omit<DeviceDeps, "requireDevice"> & {
    /** Undefined: devices reach this server under the name that they put into `Host`. */
    readonly publicUrl: URL | undefined;
    readonly changes: Changes;
    readonly data: string;
    readonly log: Logger;
  };

/** Security reference, section 6. */
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 8 * 1024;
/** Silence on a connection: an upload may take as long as it keeps moving. */
const IDLE_TIMEOUT_MS = 60_000;

export function makeApp(deps: AppDeps): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = deps.log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    connectionTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: "idle",
    http: { headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: MAX_HEADER_BYTES },
  });
  // Bodies stay bytes until the signature over them was checked.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  answerErrors(app);
  metrics(app, deps);
  health(app, deps);
  app.get("/openapi.json", () => openApi());
  staticFiles(app, join(deps.data, "repo"));
  const sessions = consoleSessions(deps.now);
  const admit = adminAdmission({ ...deps, sessions });
  consoleSession(app, { ...deps, sessions }, admit);
  changeStream(app, { ...deps, sessions }, admit);
  consolePages(app);
  adminHandlers(app, deps, admit);
  consoleHandlers(app, deps, admit);
  const requireDevice = deviceSignature(deps);
  deviceHandlers(app, { ...deps, requireDevice });
  fleetLockHandlers(app, { ...deps, requireDevice }, admit);
  return app;
}
