/**
 * The service host of a machine that systemd runs: each service is a unit of its own
 * (`packaging/systemd/`), and the same actions become calls of systemctl(1). The order between the
 * services is ours (`orderedHost.ts`), so that the units need no more than Wants= and After=.
 *
 * Start-up types: enabled is automatic, disabled is manual, masked is disabled: nothing starts a
 * masked unit, whatever needs it. Errors: UPB-SERVICE-SYSTEMD.
 */
import { execFile } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceInfo, ServiceName, StartUpType } from "../../protocol/servicesApi.ts";
import { answers } from "../localServer.ts";
import { hasUnit } from "../systemd.ts";
import type { ServiceDefinition } from "./definitions.ts";
import { type OrderedHost, orderedHost } from "./orderedHost.ts";

/** A stop may take as long as TimeoutStopSec of the units, a start as long as 30 s. */
const SYSTEMCTL_MS = 60_000;
const READY_MS = 30_000;
const POLL_MS = 100;
/** Enough for the stack trace with which a process usually ends. */
const LAST_WORDS_LINES = 12;

const unitOf = (name: ServiceName): string => `upbeat-${name}.service`;

/** Whether every service of this root is a unit here. */
export const isUnderSystemd = (root: string, names: readonly ServiceName[]): boolean =>
  names.every((name) => hasUnit(root, unitOf(name)));

/** `env`: where the programs are looked for. */
export function systemdHost(
  definitions: readonly ServiceDefinition[],
  now: () => number,
  env: NodeJS.ProcessEnv,
): OrderedHost {
  const run = (program: string, args: readonly string[]): Promise<string> =>
    runProgram(program, args, env);
  const of = (name: ServiceName): ServiceDefinition => {
    const found = definitions.find((it) => it.name === name);
    if (found === undefined) throw new UpbeatError("UPB-LOCAL-BAD-REQUEST", { object: name });
    return found;
  };
  const show = async (name: ServiceName): Promise<Properties> =>
    propertiesOf(
      await run("systemctl", [
        "show",
        unitOf(name),
        `--property=${PROPERTIES.join(",")}`,
        "--timestamp=unix",
      ]),
    );
  /** Only what the service said itself, not what systemd says about it. */
  const said = async (name: ServiceName, lines: number, pid?: string): Promise<string[]> => {
    const matches = [
      `_SYSTEMD_UNIT=${unitOf(name)}`,
      ...(pid === undefined ? [] : [`_PID=${pid}`]),
    ];
    const args = [...matches, `--lines=${lines}`, "--output=cat", "--no-pager", "--quiet"];
    return (await run("journalctl", args)).split("\n").filter((line) => line !== "");
  };
  const info = async (name: ServiceName): Promise<ServiceInfo> => {
    const found = await show(name);
    const isDown = stateOf(found) !== "running";
    // A machine may keep no journal; that must not hide the service.
    const words = isDown
      ? await said(name, LAST_WORDS_LINES, found.ExecMainPID).catch(() => [])
      : [];
    return infoOf(of(name), found, words, now());
  };

  return {
    ...orderedHost(definitions, {
      info,
      logs: (name, lines) => said(name, lines),
      startUp: async (name) => startUpOf(await show(name)),
      async start(name) {
        // Asking again would also forget how often it was restarted.
        if (stateOf(await show(name)) === "running") return;
        // A unit that hit its limit is not started again before that is forgotten.
        await run("systemctl", ["reset-failed", unitOf(name)]).catch(() => undefined);
        try {
          await run("systemctl", ["start", unitOf(name)]);
        } catch (error) {
          // That it crashed is a state, which the answer shows with its last words.
          if (["failed", "backing-off"].includes(stateOf(await show(name)))) return;
          throw error;
        }
        await untilItAnswers(name);
      },
      stop: async (name) => void (await run("systemctl", ["stop", unitOf(name)])),
      async setStartUp(name, type) {
        for (const verb of START_UP_VERBS[type]) await run("systemctl", [verb, unitOf(name)]);
      },
    }),
    // At boot and at shutdown systemd does that itself, also while this process is away.
    startAutomatic: async () => undefined,
    stopAll: async () => undefined,
  };

  async function untilItAnswers(name: ServiceName): Promise<void> {
    const untilMs = performance.now() + READY_MS;
    while (performance.now() < untilMs && !(await answers(of(name).socket))) {
      if (["failed", "backing-off", "stopped"].includes(stateOf(await show(name)))) return;
      await wait(POLL_MS);
    }
  }
}

const START_UP_VERBS: Readonly<Record<StartUpType, readonly string[]>> = {
  automatic: ["unmask", "enable"],
  manual: ["unmask", "disable"],
  disabled: ["disable", "mask"],
};

const PROPERTIES = [
  "ActiveState",
  "SubState",
  "UnitFileState",
  "MainPID",
  "NRestarts",
  "StateChangeTimestamp",
  "ExecMainPID",
  "ExecMainCode",
  "ExecMainStatus",
  "ExecMainExitTimestamp",
  "User",
] as const;
type Properties = Readonly<Partial<Record<(typeof PROPERTIES)[number], string>>>;

/** `Name=value` lines of `systemctl show`. */
function propertiesOf(text: string): Properties {
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

function stateOf({ ActiveState, SubState }: Properties): ServiceInfo["state"] {
  switch (ActiveState) {
    case "active":
    case "reloading":
      return "running";
    case "activating":
      return SubState === "auto-restart" ? "backing-off" : "starting";
    case "deactivating":
      return "stopping";
    case "failed":
      return "failed";
    default:
      return "stopped";
  }
}

function startUpOf({ UnitFileState = "" }: Properties): StartUpType {
  if (UnitFileState.startsWith("masked")) return "disabled";
  return UnitFileState.startsWith("enabled") ? "automatic" : "manual";
}

function infoOf(
  { name, title, description, dependsOn }: ServiceDefinition,
  found: Properties,
  lastWords: readonly string[],
  nowMs: number,
): ServiceInfo {
  const pid = Number(found.MainPID ?? 0);
  const exitMs = unixMs(found.ExecMainExitTimestamp);
  return {
    name,
    title,
    description,
    state: stateOf(found),
    startUp: startUpOf(found),
    account: found.User || "root",
    dependsOn: [...dependsOn],
    ...(pid > 0 ? { pid } : {}),
    sinceMs: unixMs(found.StateChangeTimestamp) ?? nowMs,
    restarts: Number(found.NRestarts ?? 0),
    ...(exitMs === undefined
      ? {}
      : { lastExit: { ...exitOf(found), atMs: exitMs, lastWords: lastWords.join("\n") } }),
  };
}

/** ExecMainCode is si_code of waitid(2): 1 exited, 2 killed, 3 killed with a dump. */
function exitOf({ ExecMainCode, ExecMainStatus = "0" }: Properties) {
  const status = Number(ExecMainStatus);
  if (ExecMainCode === "1") return { code: status, signal: null };
  const named = Object.entries(constants.signals).find(([, number]) => number === status);
  return { code: null, signal: named?.[0] ?? `signal ${status}` };
}

/** `@1764061200`, as `--timestamp=unix` prints it; undefined: it did not happen yet. */
function unixMs(text: string | undefined): number | undefined {
  const seconds = /^@(\d+)$/.exec(text ?? "")?.[1];
  return seconds === undefined || seconds === "0" ? undefined : Number(seconds) * 1_000;
}

async function runProgram(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], {
      timeout: SYSTEMCTL_MS,
      maxBuffer: 32 * 1024 * 1024,
      env: { ...env, LC_ALL: "C", SYSTEMD_COLORS: "0" },
    });
    return stdout;
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    throw new UpbeatError("UPB-SERVICE-SYSTEMD", {
      object: `${program} ${args.join(" ")}`,
      ...(said === "" ? {} : { detail: said.slice(0, 2_000) }),
      cause,
    });
  }
}
