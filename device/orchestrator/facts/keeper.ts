/**
 * Facts as they were last collected. A check collects them anew; reports to the server are sent
 * every half minute, and need not run every program of the administrator's each time.
 */
import type { FactReport } from "../../../protocol/orchestratorApi.ts";
import type { InstalledProduct } from "../../../protocol/updateServiceApi.ts";
import type { DevicePaths } from "../../paths.ts";
import { collectFacts } from "./collect.ts";

export interface FactKeeper {
  collect(products: readonly InstalledProduct[]): Promise<FactReport>;
  /** At most an hour old, unless a product has changed since. */
  recent(products: readonly InstalledProduct[]): Promise<FactReport>;
}

const RECENT_MS = 3_600_000;

export function factKeeper(paths: DevicePaths, now: () => number): FactKeeper {
  let last: { report: FactReport; about: string } | undefined;
  const collect = async (products: readonly InstalledProduct[]): Promise<FactReport> => {
    const report = await collectFacts(paths, products, now);
    last = { report, about: JSON.stringify(products) };
    return report;
  };
  return {
    collect,
    async recent(products) {
      // A clock that was set back makes no old facts young.
      const ageMs = Math.abs(now() - (last?.report.collectedMs ?? 0));
      const same = last?.about === JSON.stringify(products);
      return last !== undefined && same && ageMs < RECENT_MS ? last.report : collect(products);
    },
  };
}
