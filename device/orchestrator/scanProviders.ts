/**
 * Asks every provider what it has, all at once, each within limits and with the orchestrator's few
 * rights. One that hangs, floods, crashes or babbles says so in its own report and harms no other.
 */
import { z } from "zod";
import { type ProviderId, type ProviderReport, ProviderScan } from "../../protocol/providers.ts";
import { runLimited } from "../limitedProgram.ts";
import { providerNames, providerProgram, providerVerbs } from "../providerFolder.ts";

const SCAN_LIMITS = {
  timeoutMs: 120_000,
  maxOutputBytes: 4 * 1024 * 1024,
  maxMemoryBytes: 1024 * 1024 * 1024,
};
const MAX_FAILURE = 1_000;

export async function scanProviders(folder: string, now: () => number): Promise<ProviderReport[]> {
  return await Promise.all(providerNames(folder).map((provider) => scanOne(folder, provider, now)));
}

async function scanOne(
  folder: string,
  provider: ProviderId,
  now: () => number,
): Promise<ProviderReport> {
  const startedMs = performance.now();
  const report = (found: Pick<ProviderReport, "updates" | "failure">): ProviderReport => ({
    provider,
    scannedMs: now(),
    tookMs: Math.round(performance.now() - startedMs),
    verbs: providerVerbs(folder, provider),
    ...found,
  });
  const failed = (failure: string): ProviderReport =>
    report({ updates: [], failure: failure.slice(0, MAX_FAILURE) });
  try {
    const file = providerProgram(folder, provider, "scan");
    const end = await runLimited({ file, args: [], folder: "/", ...SCAN_LIMITS });
    if (!end.ok) return failed(end.because);
    const scan = ProviderScan.safeParse(parsed(end.output));
    if (!scan.success)
      return failed(`what it printed cannot be used: ${z.prettifyError(scan.error)}`);
    const ids = new Set(scan.data.updates.map(({ id }) => id));
    if (ids.size < scan.data.updates.length) return failed("it names an update twice");
    return report({ updates: scan.data.updates });
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Undefined when it is not JSON, which no schema accepts. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
