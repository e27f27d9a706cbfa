/** The laboratory is complete: what the troubleshooter can name can be broken there. */
import { expect, it } from "vitest";
import { CAUSE_IDS } from "../../protocol/troubleshooting/causes.ts";
import { FAULTS } from "./lab/faults.ts";

/** Notes: nothing is broken, and each wants an update of its own on the server. The last is on every machine there. */
const NO_FAULT: ReadonlySet<string> = new Set(["rolled-back", "not-offered", "waits-by-design"]);

it("has a fault for every cause", () => {
  const broken = new Set<string>(FAULTS.flatMap(({ cause, also = [] }) => [cause, ...also]));
  expect(CAUSE_IDS.filter((cause) => !broken.has(cause) && !NO_FAULT.has(cause))).toEqual([]);
});

it("has no two faults of one name", () => {
  const names = FAULTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
