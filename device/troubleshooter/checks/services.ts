/** Both services and their manager: running, answering, allowed to run (rows 1 to 3). */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ServiceInfo } from "../../../protocol/servicesApi.ts";
import { callLocal } from "../../localClient.ts";
import { answers } from "../../localServer.ts";
import { check, type Repair, type Seen } from "../check.ts";
import type { Machine } from "../machine.ts";
import { actOnService, listServices, settle, socketOf, startManager } from "../services.ts";
import { runSystemctl, systemdUnit } from "../systemd.ts";

const Facts = z.object({
  /** The unit by which systemd runs the manager, where it does. */
  unit: z.string().optional(),
  managerAnswers: z.boolean(),
  services: z.array(ServiceInfo),
  answering: z.record(z.string(), z.boolean()),
  startUpChangedMs: z.number().optional(),
});

/** A service answers within milliseconds, also while it works; a loaded machine gets this long. */
const PING_MS = 5_000;
/** Longer than a start may take (30 s) before the manager ends it. */
const STARTING_MS = 60_000;

export const services = check({
  id: "services",
  title: "Services",
  rows: [1, 2, 3],
  facts: Facts,
  async look({ paths }) {
    const managerAnswers = await answers(paths.managerSocket);
    const found = managerAnswers ? await listServices(paths) : [];
    const names = ["update-service", "orchestrator"] as const;
    const answering = await Promise.all(
      names.map(async (name) => [name, await pings(socketOf(paths, name))] as const),
    );
    const stored = join(paths.managerState, "services.json");
    const unit = systemdUnit(paths.root);
    return {
      ...(unit === undefined ? {} : { unit }),
      managerAnswers,
      services: found,
      answering: Object.fromEntries(answering),
      ...(existsSync(stored) ? { startUpChangedMs: statSync(stored).mtimeMs } : {}),
    };
  },
  judge(facts, nowMs) {
    if (facts.managerAnswers) return facts.services.flatMap((one) => seenOf(one, facts, nowMs));
    const silent = Object.keys(facts.answering).filter((name) => facts.answering[name] !== true);
    if (silent.length === 0) return [];
    const evidence = ["nothing answers on the service manager's socket"];
    if (facts.unit !== undefined) evidence.push(`systemd runs it as ${facts.unit}`);
    for (const name of silent) evidence.push(`the ${name} does not answer either`);
    return [{ cause: "manager-stopped", object: "service manager", evidence }];
  },
  repairs: {
    "manager-stopped": {
      what: "Start the service manager",
      byItself: true,
      async apply({ paths }) {
        const unit = systemdUnit(paths.root);
        if (unit !== undefined) {
          await runSystemctl(["start", unit]);
          await settle(paths);
          return [`started ${unit} with systemctl`];
        }
        const pid = await startManager(paths);
        return [`started the service manager as process ${pid}; nothing starts it at boot yet`];
      },
    },
    "service-disabled": {
      what: "Allow the service again and start it",
      async apply({ paths }, { object }, undo) {
        undo({ kind: "start-up", service: object, startUp: "disabled" });
        await actOnService(paths, object, "enable");
        return [`made ${object} start by itself again, and started it`];
      },
    },
    "service-stopped": starting("Start the service", "start"),
    "service-waits": starting("Start the service now", "start", { byItself: true }),
    "service-crash-looping": starting("Start the service once more", "start", { byItself: true }),
    "service-hung": starting("Restart the service", "restart", { byItself: true }),
  },
});

/** Who stopped one by hand may have meant it; who crashed has not. */
function starting(
  what: string,
  action: "start" | "restart",
  byItself: Pick<Repair, "byItself"> = {},
): Repair {
  return {
    what,
    ...byItself,
    async apply({ paths }: Machine, { object }) {
      await actOnService(paths, object, action);
      return [`${action === "start" ? "started" : "restarted"} ${object}`];
    },
  };
}

function seenOf(one: ServiceInfo, facts: z.infer<typeof Facts>, nowMs: number): Seen[] {
  const { name, state } = one;
  const about = { object: name, service: name };
  const since = `it is ${state} since ${new Date(one.sinceMs).toISOString()}`;
  const evidence = [since, ...lastWords(one)];
  switch (state) {
    case "running":
      if (facts.answering[name] === true) return [];
      return [
        {
          ...about,
          cause: "service-hung",
          evidence: [`process ${one.pid} does not answer within ${PING_MS / 1000} s`],
        },
      ];
    case "failed":
      return [{ ...about, cause: "service-crash-looping", evidence }];
    case "backing-off":
      return [{ ...about, cause: "service-waits", evidence }];
    case "stopped": {
      if (one.startUp !== "disabled") return [{ ...about, cause: "service-stopped", evidence }];
      const changed = facts.startUpChangedMs;
      if (changed !== undefined)
        evidence.push(`start-up types were last changed ${new Date(changed).toISOString()}`);
      return [{ ...about, cause: "service-disabled", evidence }];
    }
    case "starting":
    case "stopping":
      return nowMs - one.sinceMs > STARTING_MS
        ? [{ ...about, cause: "service-hung", evidence }]
        : [];
  }
}

function lastWords({ lastExit }: ServiceInfo): string[] {
  if (lastExit === undefined) return [];
  const how = lastExit.signal === null ? `code ${lastExit.code}` : lastExit.signal;
  const words = lastExit.lastWords.split("\n").filter(Boolean).slice(-3);
  return [`it last ended with ${how}`, ...words.map((line) => `it said: ${line.slice(0, 300)}`)];
}

async function pings(socket: string): Promise<boolean> {
  try {
    await callLocal(socket, "GET", "/v1/status", z.unknown(), undefined, PING_MS);
    return true;
  } catch (error) {
    // An answer that says what is wrong is an answer.
    return !(
      error instanceof Error &&
      "code" in error &&
      String(error.code).startsWith("UPB-LOCAL-")
    );
  }
}
