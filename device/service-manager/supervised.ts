/**
 * Runs one service as a child process: starts it, notices when it is ready, restarts it after a
 * crash, stops it. Ends only the process that it started.
 *
 * The child gets an IPC channel and no other tie: when this process is gone, also by SIGKILL, the
 * channel closes and the child ends itself (`device/lifeline.ts`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { userInfo } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { ServiceInfo, StartUpType } from "../../protocol/servicesApi.ts";
import { answers } from "../localServer.ts";
import type { ServiceDefinition } from "./definitions.ts";
import type { ServiceLog } from "./serviceLog.ts";
import {
  nextServiceState,
  type RecoveryRules,
  recoveryAfter,
  type ServiceEvent,
  type ServiceState,
} from "./serviceStates.ts";

export interface SupervisionTimes {
  readonly recovery: RecoveryRules;
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number;
  /** A process that does not answer on its socket by then is ended and counts as crashed. */
  readonly readyMs: number;
}

export interface Supervised {
  readonly definition: ServiceDefinition;
  info(startUp: StartUpType): ServiceInfo;
  /** Resolves when the service answers, or has crashed. Also takes it out of `failed`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface SupervisionTools {
  readonly log: ServiceLog;
  readonly times: SupervisionTimes;
  readonly now: () => number;
  readonly changed: (from: ServiceState, to: ServiceState) => void;
}

const POLL_MS = 40;

export function supervise(definition: ServiceDefinition, tools: SupervisionTools): Supervised {
  const { log, times, now } = tools;
  let state: ServiceState = "stopped";
  let sinceMs = now();
  let child: ChildProcess | undefined;
  /** Tells a start apart from an earlier one that is still waiting for something. */
  let attempt = 0;
  let crashesInRow = 0;
  let restarts = 0;
  let nextStart: { timer: NodeJS.Timeout; atMs: number } | undefined;
  let lastExit: ServiceInfo["lastExit"];

  const follow = (event: ServiceEvent): void => {
    const next = nextServiceState(state, event);
    if (next === undefined) {
      throw new UpbeatError("UPB-INTERNAL-BUG", {
        object: definition.name,
        detail: `no transition for ${event} in ${state}`,
      });
    }
    tools.changed(state, next);
    state = next;
    sinceMs = now();
  };

  const launch = async (): Promise<void> => {
    follow("start");
    attempt += 1;
    const mine = attempt;
    const current = (): boolean => state === "starting" && attempt === mine;
    // The child of a manager that was killed is on its way out; give it time to let go.
    const orphanUntilMs = now() + times.readyMs;
    while (current() && now() < orphanUntilMs && (await answers(definition.socket))) {
      await wait(POLL_MS);
    }
    if (!current()) return;
    const started = spawnService(definition, log);
    child = started;
    // `close` comes after the pipes are drained, so the last words are complete.
    started.once("close", (code, signal) => ended(started, code, signal));
    const readyUntilMs = now() + times.readyMs;
    while (current()) {
      if (await answers(definition.socket)) {
        if (current()) follow("ready");
        return;
      }
      if (now() >= readyUntilMs) {
        log.append(Buffer.from(`${definition.name} did not answer within ${times.readyMs} ms\n`));
        started.kill("SIGKILL");
        await once(started, "close");
        return;
      }
      await wait(POLL_MS);
    }
  };

  const ended = (process: ChildProcess, code: number | null, signal: string | null): void => {
    if (child !== process) return;
    child = undefined;
    lastExit = { code, signal, atMs: now(), lastWords: log.lastWords() };
    if (state === "stopping") {
      follow("exited");
      return;
    }
    const recovery = recoveryAfter(
      times.recovery,
      crashesInRow,
      state === "running" ? now() - sinceMs : 0,
    );
    crashesInRow = recovery.crashesInRow;
    follow(recovery.event);
    if (recovery.event === "giveUp") return;
    const timer = setTimeout(() => {
      nextStart = undefined;
      restarts += 1;
      void launch();
    }, recovery.delayMs);
    nextStart = { timer, atMs: now() + recovery.delayMs };
  };

  return {
    definition,

    info: (startUp) => ({
      name: definition.name,
      title: definition.title,
      description: definition.description,
      state,
      startUp,
      account: userInfo().username,
      dependsOn: [...definition.dependsOn],
      ...(child?.pid === undefined ? {} : { pid: child.pid }),
      sinceMs,
      restarts,
      ...(nextStart === undefined ? {} : { nextStartMs: nextStart.atMs }),
      ...(lastExit === undefined ? {} : { lastExit }),
    }),

    async start() {
      if (state === "running" || state === "starting") return;
      clearTimeout(nextStart?.timer);
      nextStart = undefined;
      crashesInRow = 0;
      await launch();
    },

    async stop() {
      clearTimeout(nextStart?.timer);
      nextStart = undefined;
      if (state === "stopped" || state === "stopping") return;
      const stopping = child;
      const nothingStarted = state === "starting" && stopping === undefined;
      follow("stop");
      if (stopping === undefined) {
        // Out of `starting` while it waits for an orphan, it passes through `stopping` at once.
        if (nothingStarted) follow("exited");
        return;
      }
      const closed = once(stopping, "close");
      stopping.kill("SIGTERM");
      const late = setTimeout(() => stopping.kill("SIGKILL"), times.stopMs);
      await closed;
      clearTimeout(late);
    },
  };
}

function spawnService(definition: ServiceDefinition, log: ServiceLog): ChildProcess {
  const [program, ...args] = definition.command;
  log.beginProcess();
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, ...definition.env },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (bytes: Buffer) => log.append(bytes));
  }
  // A program that cannot be started at all; `close` follows.
  child.once("error", (error) => {
    log.append(Buffer.from(`${definition.name} cannot be started: ${error.message}\n`));
  });
  return child;
}
