/**
 * The process whose CPU time is measured: it does one piece of work each time it is told to, with
 * the functions that the orchestrator calls. Run by `bench/check.ts`.
 */
import { readFileSync } from "node:fs";
import { checkForChange, type LastRefresh } from "../../content/changeCheck.ts";
import { httpMetadataSource, httpTargetReader } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import { readUpdate } from "../../content/releases.ts";
import { refresh } from "../../protocol/trust/client.ts";
import { CHANNEL, LOOKED_UP } from "./repository.ts";

export type Work =
  | { readonly what: "refresh"; readonly lookUp: boolean }
  | { readonly what: "check"; readonly last: LastRefresh };

export interface Done {
  readonly cpuMs: number;
  readonly last: LastRefresh | undefined;
  readonly outcome: string;
}

const [url = "", rootFile = "", storeFolder = ""] = process.argv.slice(2);
const baseUrl = new URL(url);

process.on("disconnect", () => process.exit(0));
process.on("message", async (work: Work) => {
  const before = process.cpuUsage();
  const result = await perform(work);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ ...result, cpuMs: (user + system) / 1_000 } satisfies Done);
});
process.send?.("ready");

async function perform(work: Work): Promise<Omit<Done, "cpuMs">> {
  const nowMs = Date.now();
  if (work.what === "check") {
    const outcome = await checkForChange({
      source: httpMetadataSource(baseUrl),
      last: work.last,
      nowMs,
    });
    return { outcome, last: undefined };
  }
  const source = httpMetadataSource(baseUrl);
  const trusted = await refresh({
    trustedRoot: readFileSync(rootFile),
    store: metadataStore(storeFolder),
    source,
    now: () => nowMs,
  });
  const last = {
    etag: source.etagOf("timestamp.json") ?? "",
    timestampExpiresMs: trusted.expires.timestamp,
    refreshedMs: nowMs,
  };
  if (!work.lookUp) return { outcome: "refreshed", last };
  const { product, version } = LOOKED_UP;
  const update = await readUpdate(trusted, httpTargetReader(baseUrl), CHANNEL, product, version);
  return { outcome: update === undefined ? "not found" : "found", last };
}
