/** What the machine began by itself stops where it is, in every phase before the switch, and loses nothing. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isStopped } from "../../device/update-service/interruption.ts";
import type { JobRequest, Progress } from "../../protocol/updateServiceApi.ts";
import { type ClockedService, clockedService } from "../support/clockedService.ts";
import { seededRandom } from "../support/random.ts";

let device: ClockedService;
beforeEach(async () => {
  device = await clockedService("kiosk");
});
afterEach(() => device.close());

/** Some files, of which the later version changes one. */
function tree(version: string): string {
  const folder = join(device.folder, `tree-${version}`);
  mkdirSync(folder);
  const { below } = seededRandom(1);
  for (let at = 0; at < 12; at++) {
    const bytes = Buffer.from(Array.from({ length: 5_000 }, () => below(256)));
    writeFileSync(join(folder, `file-${at}`), bytes);
  }
  writeFileSync(join(folder, "file-7"), `of ${version}`.repeat(5_000));
  return folder;
}
const first = () => device.repository.publish(tree("1.0"), { product: "kiosk", version: "1.0" });
const versions = (): string[] => {
  const folder = join(device.products, "kiosk/versions");
  return existsSync(folder) ? readdirSync(folder) : [];
};

/** Begins the job and stops it when it is in that phase. */
async function pauseAt(phase: Progress["phase"], job: JobRequest): Promise<boolean> {
  const { jobs } = device.service;
  jobs.accept(job);
  let paused = false;
  while (!paused && jobs.busy() !== undefined) {
    await turn();
    paused = jobs.busy()?.phase === phase && jobs.pause();
  }
  await jobs.idle();
  return paused;
}

describe("a download", () => {
  it.each(["refresh-metadata", "plan", "download"] as const)(
    "that is stopped at %s is paused, and goes on when it is asked for again",
    async (phase) => {
      const update = await first();
      expect(await pauseAt(phase, { kind: "download", update })).toBe(true);
      expect(device.service.journal.record(update)).toMatchObject({
        state: "paused",
        error: { code: "UPB-DOWNLOAD-PAUSED", retry: "information" },
      });
      expect(await device.work({ kind: "download", update })).toMatchObject({
        state: "downloaded",
      });
    },
  );

  it.each(["verify", "apply"] as const)(
    "by a patch that is stopped at %s does not fall back to whole files, then or later",
    async (phase) => {
      const old = tree("1.0");
      await device.take(old, { product: "kiosk", version: "1.0", patchesFrom: [] });
      const update = await device.repository.publish(tree("2.0"), {
        ...{ product: "kiosk", version: "2.0", patchesFrom: ["1.0"] },
      });
      expect(await pauseAt(phase, { kind: "download", update })).toBe(true);
      expect(device.service.journal.record(update)?.state).toBe("paused");
      const done = await device.work({ kind: "download", update });
      expect(done).toMatchObject({ state: "downloaded", plan: { way: "patches", fellBack: [] } });
    },
  );
});

describe("an install", () => {
  it("that is stopped before its switch has changed nothing, and leaves no history entry", async () => {
    const update = await first();
    await device.work({ kind: "download", update });
    expect(await pauseAt("stage", { kind: "install", update })).toBe(true);
    const { journal } = device.service;
    expect(journal.record(update)).toMatchObject({
      state: "downloaded",
      error: { code: "UPB-INSTALL-PAUSED", retry: "information" },
    });
    expect(journal.operation()).toBeUndefined();
    expect(journal.history()).toEqual([]);
    expect(versions()).not.toContain("1.0");
    expect(await device.work({ kind: "install", update })).toMatchObject({ state: "installed" });
    expect(versions()).toEqual(["1.0"]);
    expect(journal.history()).toHaveLength(1);
  });

  it("goes on to its end from its switch on", async () => {
    const update = await device.repository.publish(tree("1.0"), {
      ...{ product: "kiosk", version: "1.0", serviceRestart: ["/bin/sleep", "0.2"] },
    });
    await device.work({ kind: "download", update });
    expect(await pauseAt("switch", { kind: "install", update })).toBe(false);
    expect(device.service.journal.record(update)?.state).toBe("installed");
  });
});

it("with nothing to stop, nothing is stopped", async () => {
  expect(device.service.jobs.pause()).toBe(false);
  const update = await first();
  await device.work({ kind: "download", update });
  expect(device.service.jobs.pause()).toBe(false);
  await expect(
    device.service.jobs.stoppably(async () => {
      device.service.jobs.pause();
      throw new Error("whatever broke on the way");
    }),
  ).rejects.toSatisfy(isStopped);
});
