/**
 * The troubleshooter on a machine that is really broken: names the root, repairs it, proves it, and
 * an update then installs. A share of the laboratory's faults; `npm run bench -- faults` tries all.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changeSettings, deviceStatus } from "../../device/deviceCalls.ts";
import { DeviceDetail } from "../../protocol/adminApi.ts";
import { faultNamed } from "./lab/faults.ts";
import { canRunLab, type Lab, openLab } from "./lab/lab.ts";
import { until } from "./lab/labDevice.ts";
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

  it("runs by itself after a failure, is shown, tells the server only with consent and no names", async () => {
    const device = await lab.device();
    try {
      const told = async () => {
        const { deviceId } = await deviceStatus(device.root);
        const headers = { authorization: `Bearer ${lab.server.adminToken}` };
        const answer = await fetch(`${lab.server.url}/api/v1/devices/${deviceId}`, { headers });
        return DeviceDetail.parse(await answer.json()).diagnosis;
      };
      const found = async () => (await deviceStatus(device.root)).found?.findings;
      lab.front.interfere = (req, res) => {
        if (req.url?.startsWith("/metadata/") !== true) return false;
        res.writeHead(503).end();
        return true;
      };
      expect((await device.upbeat("check")).exitCode).not.toBe(0);
      await until(
        async () => (await found())?.some(({ cause }) => cause === "server-busy") === true,
      );
      await device.upbeat("check");
      expect(await told()).toBeUndefined();
      const bundle = join(lab.folder, "support.tar.gz");
      await device.must("support-bundle", "--output", bundle);
      const elsewhere = await device.troubleshoot("--bundle", bundle);
      const problems = elsewhere.diagnosis.findings.filter(({ severity }) => severity !== "note");
      expect(problems.map(({ cause }) => cause)).toEqual(["server-busy"]);
      expect(execFileSync("tar", ["-xzOf", bundle], { encoding: "utf8" })).not.toContain(
        "lab.test",
      );
      await changeSettings(device.root, { set: { reportDiagnoses: true }, unset: [] });
      await device.upbeat("check");
      await until(async () => (await told()) !== undefined);
      const diagnosis = await told();
      expect(diagnosis?.findings.map(({ cause }) => cause)).toEqual(["server-busy"]);
      expect(JSON.stringify(diagnosis)).not.toContain("lab.test");
      lab.front.interfere = undefined;
      await device.must("check");
      await until(async () => (await found())?.length === 0);
      await changeSettings(device.root, { set: {}, unset: ["reportDiagnoses"] });
      await device.must("check");
      await until(async () => (await told()) === undefined);
    } finally {
      lab.front.interfere = undefined;
      await device.stop(true);
    }
  }, 240_000);

  it("names what only a person can mend, and sees that it is mended", async () => {
    const fault = faultNamed("the file of the trusted root was cut short");
    const { said, ...trial } = await tryFaults(lab, [fault]);
    expect(trial, said).toMatchObject({ named: true, repaired: "by-instruction", installed: true });
  }, 180_000);
});
