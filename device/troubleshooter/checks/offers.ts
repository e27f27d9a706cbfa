/** Newer versions that are not offered here, with the one reason that blocks them (rows 25, 26, 33). */
import { z } from "zod";
import { compareVersions } from "../../../core/versionOrder.ts";
import { formatUpdate } from "../../../protocol/ids.ts";
import { CheckResult } from "../../../protocol/orchestratorApi.ts";
import { check, notApplicable, type Seen } from "../check.ts";

const Facts = z.object({ lastCheck: CheckResult.pick({ offers: true, notOffered: true }) });

/** These are as they should be. */
const EXPECTED: ReadonlySet<string> = new Set(["installed", "superseded", "older-than-installed"]);

export const offers = check({
  id: "offers",
  title: "What is offered",
  rows: [25, 26, 33],
  facts: Facts,
  async look(machine) {
    const { lastCheck } = machine.state();
    return lastCheck === undefined ? notApplicable("no check has worked yet") : { lastCheck };
  },
  judge({ lastCheck }): Seen[] {
    const blocked = lastCheck.notOffered.filter(({ reason }) => !EXPECTED.has(reason));
    const products = [...new Set(blocked.map(({ product }) => product))];
    return products.flatMap((product): Seen[] => {
      if (lastCheck.offers.some(({ update }) => update.product === product)) return [];
      const [newest] = blocked
        .filter((it) => it.product === product)
        .toSorted((a, b) => compareVersions(b.version, a.version));
      if (newest === undefined) return [];
      const tooOld = newest.detail.includes("UPB-MANIFEST-VERSION");
      return [
        {
          cause: tooOld ? "agent-too-old" : "not-offered",
          object: formatUpdate(newest),
          evidence: [`${newest.reason}: ${newest.detail}`],
        },
      ];
    });
  },
});
