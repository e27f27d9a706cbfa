/**
 * The signed metadata: what is kept, and what the server shows, verified exactly as a check does,
 * with nothing written (rows 18, 28).
 */
import { lstatSync, readdirSync, renameSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { httpMetadataSource } from "../../../content/metadataSource.ts";
import { metadataStore } from "../../../content/metadataStore.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { openCached, refresh } from "../../../protocol/trust/client.ts";
import type { MetadataStore } from "../../../protocol/trust/ports.ts";
import type { DevicePaths } from "../../paths.ts";
import { check, notApplicable, type Seen } from "../check.ts";
import { metadataFolders, namesIn } from "../probes/metadataFolders.ts";
import { whileStopped } from "../services.ts";

const Facts = z.object({
  url: z.string(),
  kept: z.array(
    z.object({ service: z.string(), folder: z.string(), code: z.string(), says: z.string() }),
  ),
  /** What a refresh from the server says; undefined: it worked, or the server was not asked. */
  refused: z.object({ code: z.string(), says: z.string() }).optional(),
  /** The server's own first root is another one than ours. */
  otherRoot: z.boolean(),
});

export const metadata = check({
  id: "metadata",
  title: "Signed metadata",
  rows: [18, 28],
  facts: Facts,
  async look(machine) {
    const { paths, config } = machine;
    const trustedRoot = await readFile(paths.trustedRoot).catch(() => undefined);
    if (config === undefined || trustedRoot === undefined)
      return notApplicable("this machine is not enrolled");
    const kept = await keptCopies(paths, trustedRoot);
    const server = await machine.server();
    const reachable = server?.http?.status === 200 && !server.http.isPage;
    const facts: z.infer<typeof Facts> = { url: config.serverUrl, kept, otherRoot: false };
    if (!reachable) return facts;
    const source = httpMetadataSource(new URL(config.serverUrl));
    try {
      const store = copyOf(metadataStore(join(paths.updateServiceState, "metadata")));
      await refresh({ trustedRoot, store, now: Date.now, source });
      return facts;
    } catch (error) {
      if (!(error instanceof UpbeatError)) throw error;
      const version = z
        .object({ signed: z.object({ version: z.int() }) })
        .safeParse(JSON.parse(trustedRoot.toString())).data?.signed.version;
      const shown = await source.fetch(`${version ?? 1}.root.json`, 512_000).catch(() => undefined);
      const otherRoot = shown !== undefined && !Buffer.from(shown).equals(trustedRoot);
      return { ...facts, refused: { code: error.code, says: error.message }, otherRoot };
    }
  },
  judge({ url, kept, refused, otherRoot }): Seen[] {
    const seen: Seen[] = kept.map(({ folder, says, code, service }) => ({
      cause: "trust-cache-damaged",
      object: folder,
      service,
      evidence: [`${says} (${code})`],
    }));
    if (refused === undefined) return seen;
    const evidence = [`${refused.says} (${refused.code})`];
    if (otherRoot) evidence.push("its root is another one than this machine was set up with");
    const cause = otherRoot ? "wrong-server" : CAUSE_OF[refused.code];
    // The network's own errors are found by the checks of the network.
    if (cause !== undefined) seen.push({ cause, object: url, evidence });
    return seen;
  },
  repairs: {
    "trust-cache-damaged": {
      what: "Set the kept copy aside and fetch it again; what was accepted before still counts",
      byItself: true,
      async apply({ paths }, { object, service }, undo) {
        const moved: string[] = [];
        await whileStopped(paths, service ?? "update-service", () => {
          // The high-water marks stay: losing the cache must not open a way back to old metadata.
          for (const name of readdirSync(object)) {
            if (!name.endsWith(".json")) continue;
            const from = join(object, name);
            const aside = `${from}.set-aside`;
            undo({ kind: "move-back", from: aside, to: from });
            renameSync(from, aside);
            moved.push(`set ${from} aside`);
          }
        });
        return moved;
      },
    },
  },
});

/** Refusals of a fresh fetch, by code. */
const CAUSE_OF: Readonly<Record<string, Seen["cause"]>> = {
  "UPB-TRUST-EXPIRED": "metadata-expired",
  "UPB-TRUST-ROLLBACK": "metadata-rolled-back",
  "UPB-TRUST-SIGNATURES": "metadata-refused",
  "UPB-TRUST-MALFORMED": "metadata-refused",
  "UPB-TRUST-HASH": "metadata-refused",
  "UPB-TRUST-LENGTH": "metadata-refused",
  "UPB-TRUST-MIXED": "metadata-refused",
  "UPB-TRUST-MISSING": "metadata-refused",
  "UPB-TRUST-ROLE": "metadata-refused",
  "UPB-TRUST-TOO-MANY-ROOTS": "metadata-refused",
};

/** What is kept may be incomplete or have expired: the next check brings the rest. It may not be wrong. */
const HARMLESS: ReadonlySet<string> = new Set(["UPB-TRUST-EXPIRED", "UPB-TRUST-CLOCK"]);

async function keptCopies(paths: DevicePaths, trustedRoot: Uint8Array) {
  const damaged: z.infer<typeof Facts>["kept"] = [];
  for (const { service, folder } of metadataFolders(paths)) {
    // A damaged file is fetched again by itself; one cannot be written where a folder stands.
    const inTheWay = namesIn(folder).find(
      (name) => name.endsWith(".json") && !lstatSync(join(folder, name)).isFile(),
    );
    if (inTheWay !== undefined) {
      const says = `${inTheWay} is no file, so none can be kept there`;
      damaged.push({ service, folder, code: "UPB-TRUST-STORE-UNWRITABLE", says });
      continue;
    }
    try {
      await openCached({ trustedRoot, store: copyOf(metadataStore(folder)), now: Date.now });
    } catch (error) {
      if (!(error instanceof UpbeatError)) throw error;
      if (HARMLESS.has(error.code) || error.code === "UPB-TRUST-ROOT") continue;
      damaged.push({ service, folder, code: error.code, says: error.message });
    }
  }
  return damaged;
}

/** Reads through, keeps what is written to itself: a look changes nothing. */
function copyOf(store: MetadataStore): MetadataStore {
  const files = new Map<string, Uint8Array | undefined>();
  const roots = new Map<number, Uint8Array>();
  let marks = store.readMarks();
  return {
    read: (role) => (files.has(role) ? files.get(role) : store.read(role)),
    write: (role, bytes) => files.set(role, bytes),
    remove: (role) => files.set(role, undefined),
    readRoot: (version) => roots.get(version) ?? store.readRoot(version),
    writeRoot: (version, bytes) => roots.set(version, bytes),
    readMarks: () => marks,
    writeMarks: (next) => {
      marks = next;
    },
  };
}
