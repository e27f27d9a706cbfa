/**
 * `network.*`: whether the way to the internet costs by the byte. NetworkManager knows, where it
 * runs; elsewhere nobody does, and `unknown` says so.
 */
import { existsSync } from "node:fs";
import type { Facts } from "../../../protocol/deviceApi.ts";
import { runLimited } from "../../limitedProgram.ts";

export type NetworkCost = "metered" | "unmetered" | "unknown";

const NMCLI = "/usr/bin/nmcli";
/** It has to answer within moments, or what it would say is not worth the wait. */
const TIMEOUT_MS = 3_000;

export async function networkFacts(): Promise<Facts> {
  return { "network.cost": await readNetworkCost() };
}

export async function readNetworkCost(program = NMCLI): Promise<NetworkCost> {
  if (!existsSync(program)) return "unknown";
  const end = await runLimited({
    file: program,
    // The property of NetworkManager itself: that of the connection that leads to the internet.
    args: ["--terse", "--fields", "GENERAL.STATE,GENERAL.METERED,IP4.GATEWAY", "device", "show"],
    folder: "/",
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 64 * 1024,
    maxMemoryBytes: 256 * 1024 * 1024,
  });
  return end.ok ? parseNetworkCost(end.output) : "unknown";
}

/** One block a device; the first one that is connected and has a gateway counts. */
export function parseNetworkCost(text: string): NetworkCost {
  for (const block of text.split(/\n\s*\n/)) {
    const value = (name: string): string =>
      new RegExp(`^${name}:(.*)$`, "m").exec(block)?.[1]?.trim() ?? "";
    const isConnected = value("GENERAL\\.STATE").startsWith("100");
    if (!isConnected || ["", "--"].includes(value("IP4\\.GATEWAY"))) continue;
    // `yes`, `no`, `yes (guessed)`, `no (guessed)`, `unknown`: nmcli(1).
    const metered = value("GENERAL\\.METERED");
    if (metered.startsWith("yes")) return "metered";
    if (metered.startsWith("no")) return "unmetered";
  }
  return "unknown";
}
