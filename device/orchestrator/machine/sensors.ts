/**
 * The machine at this moment, as timing decides from it (`core/timing/situation.ts`). Everything is
 * read below the device's root, so that a root folder of its own brings its own battery and people.
 */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Machine } from "../../../core/timing/situation.ts";
import { type NetworkCost, readNetworkCost } from "../facts/network.ts";
import { readPower } from "../facts/power.ts";
import { readPresence } from "./presence.ts";

export interface Sensors {
  read(settings: { awayAfterMinutes: number }): Promise<Machine>;
}

/** Asking NetworkManager starts a program; the answer changes when somebody plugs something in. */
const NETWORK_AGE_MS = 15_000;
/** Four fifths of all processors at work over the last minute. */
const BUSY_LOAD = 0.8;
const FUTURE_MS = 60_000;

export function sensors(root: string, serverUrl: () => string | undefined, now: () => number) {
  let network: { cost: NetworkCost; readMs: number } | undefined;
  const networkCost = async (): Promise<NetworkCost> => {
    const nowMs = performance.now();
    if (network === undefined || nowMs - network.readMs > NETWORK_AGE_MS) {
      network = { cost: await readNetworkCost(join(root, "usr/bin/nmcli")), readMs: nowMs };
    }
    return network.cost;
  };
  return {
    async read({ awayAfterMinutes }: { awayAfterMinutes: number }): Promise<Machine> {
      const cost = await networkCost();
      return {
        network: isReachable(serverUrl()) ? (cost === "metered" ? "metered" : "unmetered") : "none",
        power: readPower(root).source,
        people: people(root, now(), awayAfterMinutes * 60_000),
        busy: load(root) / availableParallelism() >= BUSY_LOAD,
      };
    },
  } satisfies Sensors;
}

function people(root: string, nowMs: number, awayAfterMs: number): Machine["people"] {
  const { sessions, lastInputMs } = readPresence(root);
  if (sessions === 0) return "nobody";
  // Input that lies in the future comes from a clock that was set back: somebody may be there.
  const isAway =
    lastInputMs !== undefined &&
    nowMs - lastInputMs >= awayAfterMs &&
    lastInputMs <= nowMs + FUTURE_MS;
  return isAway ? "away" : "present";
}

/** Without any address of its own a machine can reach only itself. */
function isReachable(serverUrl: string | undefined): boolean {
  const host = serverUrl === undefined ? "" : new URL(serverUrl).hostname;
  if (["localhost", "[::1]"].includes(host) || host.startsWith("127.")) return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ internal }) => !internal),
  );
}

/** proc_loadavg(5): the average of the last minute. */
function load(root: string): number {
  const own = join(root, "proc/loadavg");
  const text = readFileSync(existsSync(own) ? own : "/proc/loadavg", "utf8");
  return Number.parseFloat(text);
}
