/**
 * What this machine is: the facts that applicability rules ask about, from every source.
 *
 * A source that fails is named in `fact-source.NAME` and blocks nothing: its facts are missing, and
 * a rule about a missing fact is false.
 */
import type { Facts } from "../../../protocol/deviceApi.ts";
import type { InstalledProduct } from "../../../protocol/updateServiceApi.ts";
import type { DevicePaths } from "../../paths.ts";
import { diskFacts, memoryFacts } from "./hardware.ts";
import { operatingSystemFacts } from "./operatingSystem.ts";

const MAX_TEXT = 200;

export function collectFacts(paths: DevicePaths, products: readonly InstalledProduct[]): Facts {
  return {
    ...from("operating-system", () => operatingSystemFacts(paths.root)),
    ...from("memory", memoryFacts),
    ...from("disk", () => diskFacts(paths.installed)),
    ...productFacts(products),
  };
}

function from(source: string, read: () => Facts): Facts {
  try {
    return read();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { [`fact-source.${source}`]: `failed: ${text.slice(0, MAX_TEXT)}` };
  }
}

function productFacts(products: readonly InstalledProduct[]): Facts {
  const versions = products.flatMap(({ product, current }) =>
    current === undefined ? [] : [[`product.${product}.version`, current] as const],
  );
  return Object.fromEntries(versions);
}
