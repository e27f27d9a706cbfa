/** A device at 1.0.0 for which 2.0.0 is published, its update service real, its server made to fail. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { UpdateRecord } from "../../protocol/updateServiceApi.ts";
import { versionOf } from "./deviceTree.ts";
import { type SampleReleases, sampleReleases } from "./sampleReleases.ts";
import { prepareDevice, type RunningService, startUpdateService } from "./updateServiceProcess.ts";

export interface FaultyDevice {
  readonly folder: string;
  readonly root: string;
  readonly releases: SampleReleases;
  service: RunningService;
  id(version: string): UpdateId;
  /** Asks, waits for the end, and gives the record that is left. */
  download(version: string): Promise<UpdateRecord | undefined>;
  install(version: string): Promise<UpdateRecord | undefined>;
  /** The version that `current` leads to, its tree compared to the byte. */
  current(): string;
  /** What is refused says everything a person needs, and nothing has changed. */
  expectFailed(record: UpdateRecord | undefined, code: ErrorCode): void;
  close(): Promise<void>;
}

/** `prepare` may put a disk of its own below the root before anything is written there. */
export async function faultyDevice(prepare: (root: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-faults-"));
  const releases = await sampleReleases(join(folder, "releases"));
  const root = join(folder, "root");
  prepare(root);
  const paths = prepareDevice(root, releases.device);
  const link = join(paths.installed, "products", releases.product, "current");
  const device: FaultyDevice = {
    folder,
    root,
    releases,
    service: await startUpdateService(root),
    id(version) {
      const update = releases.updates.get(version);
      if (update === undefined) throw new RangeError(`${version} was not published`);
      return update;
    },
    download: (version) => work("download", version),
    install: (version) => work("install", version),
    current: () => versionOf(link, releases.trees),
    expectFailed(record, code) {
      expect(record).toMatchObject({ state: "failed", error: { code } });
      for (const field of ["stage", "object", "text", "remedy", "retry"] as const)
        expect(record?.error?.[field], field).toBeTruthy();
      expect(device.current()).toBe("1.0.0");
    },
    async close() {
      await device.service.stop();
      await releases.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  async function work(kind: "download" | "install", version: string) {
    await device.service.request({ kind, update: device.id(version) });
    const { updates } = await device.service.idle();
    return updates.find((record) => record.version === version);
  }
  await device.download("1.0.0");
  await device.install("1.0.0");
  expect(device.current()).toBe("1.0.0");
  return device;
}
