/** Every command there is, in the order in which help lists them. */
import type { Command, Group } from "./command.ts";
import { approvals } from "./commands/approvals.ts";
import { check, download, install, rollback, uninstall } from "./commands/changes.ts";
import { completionCommand } from "./commands/completion.ts";
import { device } from "./commands/device.ts";
import { devices } from "./commands/devices.ts";
import { explain } from "./commands/explain.ts";
import { facts } from "./commands/facts.ts";
import { fleetLock } from "./commands/fleetLock.ts";
import { floors, pins } from "./commands/floors.ts";
import { helpCommand } from "./commands/help.ts";
import { history } from "./commands/history.ts";
import { holds } from "./commands/holds.ts";
import { inhibit } from "./commands/inhibit.ts";
import { keys } from "./commands/keys.ts";
import { log } from "./commands/log.ts";
import { pause, resume } from "./commands/pause.ts";
import { policy } from "./commands/policy.ts";
import { publish } from "./commands/publish.ts";
import { restart } from "./commands/restart.ts";
import { rollouts } from "./commands/rollouts.ts";
import { server } from "./commands/server.ts";
import { services } from "./commands/services.ts";
import { settings } from "./commands/settings.ts";
import { status } from "./commands/status.ts";
import { supportBundle } from "./commands/supportBundle.ts";
import { troubleshootCommand } from "./commands/troubleshoot.ts";
import { updates } from "./commands/updates.ts";
import { verify } from "./commands/verify.ts";
import { why } from "./commands/why.ts";

export const TREE: readonly (readonly [string, readonly (Command | Group)[]])[] = [
  [
    "On a machine:",
    [
      status,
      check,
      download,
      install,
      rollback,
      uninstall,
      verify,
      history,
      why,
      pause,
      resume,
      restart,
      inhibit,
      settings,
      log,
      facts,
      services,
      troubleshootCommand,
      supportBundle,
      device,
    ],
  ],
  [
    "For publishers and administrators:",
    [
      server,
      keys,
      publish,
      updates,
      rollouts,
      holds,
      approvals,
      floors,
      pins,
      policy,
      devices,
      fleetLock,
    ],
  ],
  ["Help:", [explain, completionCommand(() => allNodes())]],
];

/** All but `help`, which needs the finished program (`program.ts` adds it). */
export const allNodes = (): readonly (Command | Group)[] => [
  ...TREE.flatMap(([, nodes]) => nodes),
  helpCommand(() => undefined),
];
