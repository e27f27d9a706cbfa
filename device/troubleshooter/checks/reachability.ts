/** The way to the server up to the first answer: network, name, proxy, connection (rows 4, 5, 7). */

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { z } from "zod";
import { check, notApplicable, type Seen } from "../check.ts";
import { NameFacts } from "../probes/names.ts";
import { ProxyFacts } from "../probes/proxy.ts";

const Facts = z.object({
  url: z.string(),
  /** Addresses of this machine besides loopback. */
  addresses: z.array(z.string()),
  hasDefaultRoute: z.boolean(),
  name: NameFacts.optional(),
  proxy: ProxyFacts.optional(),
  connection: z.object({ ok: z.boolean(), error: z.string().optional() }).optional(),
});

export const reachability = check({
  id: "reachability",
  title: "Way to the server",
  rows: [4, 5, 7],
  facts: Facts,
  async look(machine) {
    const server = await machine.server();
    if (server === undefined) return notApplicable("no server is configured");
    const { name, proxy, connection } = server;
    return {
      url: server.url,
      addresses: ownAddresses(),
      hasDefaultRoute: await hasDefaultRoute(),
      ...(name === undefined ? {} : { name }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(connection === undefined ? {} : { connection }),
    };
  },
  judge(facts): Seen[] {
    const object = facts.url;
    const seen: Seen[] = [];
    const { name, proxy, connection } = facts;
    const overridden = name !== undefined && whyOverridden(name);
    if (overridden) seen.push({ cause: "name-overridden", object, evidence: overridden });
    if (proxy !== undefined && !proxy.reached) {
      const evidence = [`${proxy.address}: ${proxy.error ?? "no answer"}`];
      seen.push({ cause: "proxy-unreachable", object: proxy.address, evidence });
    }
    if (proxy?.status === 407) {
      const evidence = [`${proxy.address} answers 407 (proxy authentication required)`];
      seen.push({ cause: "proxy-wants-login", object: proxy.address, evidence });
    }
    if (name !== undefined && !name.isAddress && name.addresses.length === 0) {
      seen.push({ cause: "name-not-resolved", object: name.host, evidence: nameEvidence(name) });
    }
    if (connection?.ok === false) {
      const evidence = [
        `${(name?.addresses ?? []).join(", ")}: ${connection.error ?? "no answer"}`,
      ];
      seen.push({ cause: "server-unreachable", object, evidence });
    }
    const failed = seen.length > 0;
    if (failed && !facts.hasDefaultRoute && !isOnThisMachine(name)) {
      const evidence = [
        facts.addresses.length === 0 ? "it has no address" : `it has ${facts.addresses.join(", ")}`,
        "it has no default route",
      ];
      seen.push({ cause: "offline", object: "network", evidence });
    }
    return seen;
  },
});

/** The hosts file names the server, and no name server says the same. */
function whyOverridden(name: NameFacts): string[] | undefined {
  const real = name.nameServers.flatMap(({ addresses }) => addresses);
  const differs = name.hostsFile.filter((address) => !real.includes(address));
  if (real.length === 0 || differs.length === 0) return undefined;
  return [
    `/etc/hosts says that ${name.host} is ${differs.join(", ")}`,
    `the name servers say ${[...new Set(real)].join(", ")}`,
  ];
}

const nameEvidence = ({ host, error, nameServers }: NameFacts): string[] => [
  `${host}: ${error ?? "no address"}`,
  ...(nameServers.length === 0 ? ["no name server is configured in /etc/resolv.conf"] : []),
  ...nameServers.map(({ server, addresses, error: why }) =>
    addresses.length > 0
      ? `name server ${server} knows it: ${addresses.join(", ")}`
      : `name server ${server}: ${why ?? "no address"}`,
  ),
];

const isOnThisMachine = (name: NameFacts | undefined): boolean =>
  name?.addresses.some((address) => /^127\.|^::1$/.test(address)) ?? false;

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80"))
    .map(({ address }) => address)
    .filter((address) => isIP(address) !== 0);

/** A route to 0.0.0.0/0 in /proc/net/route, or to ::/0 that is not the reject route of loopback. */
async function hasDefaultRoute(): Promise<boolean> {
  const v4 = await readFile("/proc/net/route", "utf8").catch(() => "");
  if (v4.split("\n").some((line) => line.split("\t")[1] === "00000000")) return true;
  const v6 = await readFile("/proc/net/ipv6_route", "utf8").catch(() => "");
  return v6.split("\n").some((line) => /^0{32} 00 /.test(line) && !/\blo$/.test(line.trim()));
}
