/**
 * What this machine is: the facts that applicability rules ask about, from every source.
 *
 * Each source is asked on its own, within limits. One that fails is named with its reason, in the
 * report and as the fact `fact-source.NAME`, and blocks nothing: its facts are missing, and a rule
 * about a missing fact is false.
 */
import { basename } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";
import type { FactReport } from "../../../protocol/orchestratorApi.ts";
import type { InstalledProduct } from "../../../protocol/updateServiceApi.ts";
import type { DevicePaths } from "../../paths.ts";
import { bootFacts } from "./bootMode.ts";
import { customFacts, customSources } from "./custom.ts";
import { diskFacts, memoryFacts, partitionFacts } from "./hardware.ts";
import { networkFacts } from "./network.ts";
import { operatingSystemFacts } from "./operatingSystem.ts";
import { packageFacts } from "./packages.ts";
import { powerFacts } from "./power.ts";
import { tagFacts } from "./tags.ts";

type Source = FactReport["sources"][number];

const MAX_TEXT = 500;

export async function collectFacts(
  paths: DevicePaths,
  products: readonly InstalledProduct[],
  now: () => number = Date.now,
): Promise<FactReport> {
  const { root } = paths;
  const sources = await Promise.all([
    from("operating-system", () => operatingSystemFacts(root)),
    from("memory", memoryFacts),
    from("disk", () => diskFacts(paths.installed)),
    from("partitions", partitionFacts),
    from("boot", () => bootFacts(root)),
    from("power", () => powerFacts(root)),
    from("network", networkFacts),
    from("packages", () => packageFacts(root)),
    from("tags", () => tagFacts(paths.tags)),
    from("products", () => productFacts(products)),
    ...customFrom(paths.factsFolder),
  ]);
  return { collectedMs: now(), sources };
}

/** All of them together, a failure as a fact of its own. */
export function factsOf({ sources }: FactReport): Facts {
  const facts: Facts = {};
  for (const { source, facts: found, failure } of sources) {
    Object.assign(facts, found);
    if (failure !== undefined) facts[`fact-source.${source}`] = `failed: ${failure}`;
  }
  return facts;
}

function customFrom(folder: string): Promise<Source>[] {
  try {
    return customSources(folder).map((file) =>
      from(`custom/${basename(file)}`, () => customFacts(file)),
    );
  } catch (error) {
    return [
      from("custom", () => {
        throw error;
      }),
    ];
  }
}

async function from(source: string, read: () => Facts | Promise<Facts>): Promise<Source> {
  const startedMs = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedMs);
  try {
    const facts = await read();
    return { source, facts, tookMs: tookMs() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { source, facts: {}, tookMs: tookMs(), failure: text.slice(0, MAX_TEXT) };
  }
}

function productFacts(products: readonly InstalledProduct[]): Facts {
  const versions = products.flatMap(({ product, current }) =>
    current === undefined ? [] : [[`product.${product}.version`, current] as const],
  );
  return Object.fromEntries(versions);
}
