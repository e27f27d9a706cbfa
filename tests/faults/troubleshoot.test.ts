/**
 * The troubleshooter on a machine that is really broken: names the root, repairs it, proves it, and
 * an update then installs. A share of the laboratory's faults; `npm run bench -- faults` tries all.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultNamed } from "./lab/faults.ts";
import { canRunLab, type Lab, openLab } from "./lab/lab.ts";
import { tryFaults } from "./lab/trial.ts";

let lab: Lab;
beforeAll(async () => {
  if (canRunLab) lab = await openLab();
}, 120_000);
afterAll(() => lab?.close(), 60_000);

describe.skipIf(!canRunLab)("the troubleshooter", () => {
  it("finds nothing on a healthy machine, and changes nothing there", async () => {
    const device = await lab.device();
    try {
      const { exitCode, diagnosis } = await device.troubleshoot("--fix");
      expect(diagnosis.findings.filter(({ severity }) => severity !== "note")).toEqual([]);
      expect(diagnosis.finalCheck).toBeUndefined();
      expect(exitCode).toBe(0);
    } finally {
      await device.stop(true);
    }
  }, 120_000);

  it.each([
    "a service was stopped by hand",
    "the update service's database was cut short",
    "the orchestrator hangs",
  ])(
    "names, repairs and proves: %s",
    async (name) => {
      const { said, ...trial } = await tryFaults(lab, [faultNamed(name)]);
      expect(trial, said).toMatchObject({
        named: true,
        others: [],
        repaired: "by-itself",
        installed: true,
      });
    },
    180_000,
  );

  it("names what only a person can mend, and sees that it is mended", async () => {
    const fault = faultNamed("the file of the trusted root was cut short");
    const { said, ...trial } = await tryFaults(lab, [fault]);
    expect(trial, said).toMatchObject({ named: true, repaired: "by-instruction", installed: true });
  }, 180_000);
});
