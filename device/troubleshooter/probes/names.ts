/** How the server's name becomes an address here: the system's answer, the hosts file, each name server. */

import { lookup, Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { z } from "zod";

export const NameFacts = z.object({
  host: z.string(),
  /** It is an address: there is nothing to resolve. */
  isAddress: z.boolean(),
  /** What programs on this machine get. */
  addresses: z.array(z.string()),
  error: z.string().optional(),
  /** What the hosts file says about this very name. */
  hostsFile: z.array(z.string()),
  /** Each name server asked by itself. */
  nameServers: z.array(
    z.object({ server: z.string(), addresses: z.array(z.string()), error: z.string().optional() }),
  ),
});
export type NameFacts = z.infer<typeof NameFacts>;

const LOOKUP_MS = 6_000;
const RESOLVER_MS = 2_000;
const MAX_NAME_SERVERS = 3; // glibc's MAXNS

export async function resolveName(host: string): Promise<NameFacts> {
  const bare = host.replace(/^\[|\]$/g, "");
  if (isIP(bare) !== 0) {
    return { host, isAddress: true, addresses: [bare], hostsFile: [], nameServers: [] };
  }
  const [system, hostsFile, nameServers] = await Promise.all([
    systemAnswer(bare),
    hostsEntries(bare),
    askEach(bare),
  ]);
  return { host, isAddress: false, ...system, hostsFile, nameServers };
}

async function systemAnswer(host: string): Promise<{ addresses: string[]; error?: string }> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("ETIMEOUT")), LOOKUP_MS).unref();
  });
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    return { addresses: found.map(({ address }) => address) };
  } catch (error) {
    return { addresses: [], error: codeOf(error) };
  }
}

async function hostsEntries(host: string): Promise<string[]> {
  const text = await readFile("/etc/hosts", "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [address = "", ...names] = line.replace(/#.*$/, "").trim().split(/\s+/);
    return names.some((name) => name.toLowerCase() === host.toLowerCase()) ? [address] : [];
  });
}

async function askEach(host: string): Promise<NameFacts["nameServers"]> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)]
    .map((match) => match[1] ?? "")
    .filter((server) => isIP(server) !== 0)
    .slice(0, MAX_NAME_SERVERS);
  return await Promise.all(
    servers.map(async (server) => {
      const resolver = new Resolver({ timeout: RESOLVER_MS, tries: 1 });
      try {
        resolver.setServers([isIP(server) === 6 ? `[${server}]` : server]);
        return { server, addresses: await resolver.resolve4(host) };
      } catch (error) {
        return { server, addresses: [], error: codeOf(error) };
      }
    }),
  );
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
