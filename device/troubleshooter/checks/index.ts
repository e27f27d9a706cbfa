/**
 * Every check there is, the most fundamental first: that is the order in which people see them.
 * The rows that each looks at are those of `../rows.ts`.
 */
import type { Check } from "../check.ts";
import { agentFiles } from "./agentFiles.ts";
import { clock } from "./clock.ts";
import { config } from "./config.ts";
import { databases } from "./databases.ts";
import { fileSystems } from "./fileSystems.ts";
import { history } from "./history.ts";
import { installedFiles } from "./installedFiles.ts";
import { kernelLog } from "./kernelLog.ts";
import { locks } from "./locks.ts";
import { metadata } from "./metadata.ts";
import { offers } from "./offers.ts";
import { permissions } from "./permissions.ts";
import { progress } from "./progress.ts";
import { reachability } from "./reachability.ts";
import { reports } from "./reports.ts";
import { restart } from "./restart.ts";
import { schedule } from "./schedule.ts";
import { server } from "./server.ts";
import { services } from "./services.ts";
import { settings } from "./settings.ts";
import { store } from "./store.ts";
import { tls } from "./tls.ts";
import { waiting } from "./waiting.ts";

export const CHECKS: readonly Check[] = [
  kernelLog,
  fileSystems,
  clock,
  agentFiles,
  config,
  permissions,
  databases,
  locks,
  services,
  reachability,
  tls,
  server,
  metadata,
  store,
  installedFiles,
  progress,
  restart,
  schedule,
  settings,
  waiting,
  offers,
  history,
  reports,
];
