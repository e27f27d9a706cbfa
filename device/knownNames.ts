/** Names of this machine's people and places, which are taken out of what leaves it (`core/redact.ts`). */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Known } from "../core/redact.ts";
import type { DeviceConfig } from "../protocol/deviceApi.ts";

/** Debian gives people numbers from here on (login.defs, UID_MIN). */
const FIRST_PERSON = 1_000;
const NOBODY = 65_534;

export function knownNames(config: DeviceConfig | undefined): Known {
  const { proxy } = config?.transfer ?? {};
  const addresses = [config?.serverUrl, proxy?.http, proxy?.https];
  const hosts = addresses.flatMap((it) => {
    const host = it === undefined ? undefined : URL.parse(it)?.hostname;
    return host === undefined ? [] : [host];
  });
  const name = config?.name === undefined || config.name.length < 3 ? [] : [config.name];
  return { users: people(), hosts: [hostname(), ...hosts, ...name, ...searchDomains()] };
}

function people(): string[] {
  return linesOf("/etc/passwd").flatMap((line) => {
    const [name = "", , uid = ""] = line.split(":");
    return Number(uid) >= FIRST_PERSON && Number(uid) !== NOBODY ? [name] : [];
  });
}

/** What the resolver puts behind short names: the network's own (resolv.conf(5)). */
const searchDomains = (): string[] =>
  linesOf("/etc/resolv.conf").flatMap((line) => {
    const [word, ...domains] = line.trim().split(/\s+/);
    return word === "search" || word === "domain" ? domains.filter((it) => it.includes(".")) : [];
  });

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
