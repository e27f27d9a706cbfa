/**
 * The update server.
 *
 *   node server/main.ts --data FOLDER --port N [--host ADDRESS] [--public-url URL]
 *
 * Says one JSON object a line on stdout: `{"adminToken":…}` at the very first start, then
 * `{"listening":…}`; `{"failed":…}` when it cannot start. Logs JSON lines to stderr. Ends on SIGTERM when what it answers is answered.
 */
import { join } from "node:path";
import pino from "pino";
import { reportError, UpbeatError } from "../protocol/errors/error.ts";
import { changes } from "./console/changes.ts";
import { contentUpload } from "./contentUpload.ts";
import { openDataFolder, signerFolder } from "./dataFolder.ts";
import { openFleet } from "./fleet/fleet.ts";
import { makeApp } from "./http/app.ts";
import { NO_REPOSITORY } from "./http/health.ts";
import { currentReleases } from "./preview/currentReleases.ts";
import { openPreview } from "./preview/preview.ts";
import { currentPolicies } from "./publishing/currentPolicy.ts";
import { openPublishing } from "./publishing/publishing.ts";
import { relistUpdates } from "./publishing/relist.ts";
import { repositoryFiles } from "./repositoryFiles.ts";
import { readSettings, type Settings } from "./settings.ts";
import { startSigner } from "./signerProcess.ts";
import { firstAdminToken } from "./storage/adminToken.ts";
import { openDatabase } from "./storage/database.ts";
import { keepUp } from "./upkeep.ts";

const log = pino(pino.destination({ fd: 2, sync: true }));
const STOP_PATIENCE_MS = 5_000;
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(settings: Settings): Promise<void> {
  const { data, host, port } = settings;
  const now = Date.now;
  const lock = openDataFolder(data);
  const db = await openDatabase(join(data, "server.db"));
  const files = repositoryFiles(data);
  const signer = await startSigner(signerFolder(data));
  const content = contentUpload(data);
  const publishing = openPublishing({ files, db, signer, now, log, asked: content.asked });
  const upkeep = keepUp(publishing, log);
  await upkeep.first;
  const current = publishing.current();
  if (current === undefined) log.warn(NO_REPOSITORY);
  else await relistUpdates(db, files, current);
  const publicUrl = settings["public-url"];
  const policyOf = currentPolicies(files, publishing.current);
  const releases = currentReleases(files, publishing.current, now);
  const preview = openPreview({ db, releases, now });
  const told = changes(now);
  const fleet = openFleet({ db, policyOf, now, log, changed: () => told.tell("devices") });
  const app = makeApp({
    db,
    files,
    content,
    publishing,
    signer,
    policyOf,
    preview,
    changes: told,
    fleet,
    now,
    publicUrl,
    data,
    log,
  });
  const listening = await app.listen({ host, port }).catch((cause: unknown) => {
    throw new UpbeatError("UPB-SERVER-ADDRESS", { object: `${host}:${port}`, cause });
  });
  // Not before: a start that fails must not use up the one time that the token is shown.
  await firstAdminToken(db, (adminToken) => say({ adminToken }));
  say({ listening });

  const stop = async (): Promise<void> => {
    log.info("stopping");
    upkeep.stop();
    // What is short is answered; a long transfer is resumed by its client.
    setTimeout(() => app.server.closeAllConnections(), STOP_PATIENCE_MS).unref();
    await app.close();
    await fleet.stop();
    await signer.stop();
    await db.destroy();
    lock.release();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => void stop().then(() => process.exit(0), fail));
}

function fail(error: unknown): void {
  const failed = reportError(error);
  log.fatal({ err: error, report: failed }, failed.text);
  say({ failed });
  process.exit(1);
}

Promise.resolve(process.argv.slice(2)).then(readSettings).then(main).catch(fail);
