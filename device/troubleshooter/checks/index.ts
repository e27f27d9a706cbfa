/**
 * Every check there is, the most fundamental first: that is the order in which people see them.
 * The rows are those of the reference's table (section 4.3); `NOT_HERE` names the others and why.
 */
import type { Check } from "../check.ts";
import { clock } from "./clock.ts";
import { config } from "./config.ts";
import { databases } from "./databases.ts";
import { fileSystems } from "./fileSystems.ts";
import { history } from "./history.ts";
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
import { store } from "./store.ts";
import { tls } from "./tls.ts";

export const CHECKS: readonly Check[] = [
  kernelLog,
  fileSystems,
  clock,
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
  progress,
  restart,
  schedule,
  offers,
  history,
  reports,
];
