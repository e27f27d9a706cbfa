/**
 * A machine that is enrolled at a real update server: its orchestrator runs here with a clock to
 * turn, beside the real update service as a process.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { enrol } from "../../device/enrol.ts";
import { type Orchestrator, startOrchestrator } from "../../device/orchestrator/orchestrator.ts";
import { type DevicePaths, devicePaths } from "../../device/paths.ts";
import { type DeviceConfig, EnrolToken } from "../../protocol/deviceApi.ts";
import { Channel, Product } from "../../protocol/ids.ts";
import type { Change, ChangeRequest } from "../../protocol/orchestratorApi.ts";
import type { Administrator } from "./administrator.ts";
import { type Surroundings, surroundings } from "./deviceSurroundings.ts";
import { startUpdateService } from "./updateServiceProcess.ts";

export interface FleetDevice {
  readonly root: string;
  readonly paths: DevicePaths;
  readonly config: DeviceConfig;
  /** How far its clock is ahead of the real one. */
  readonly clock: { aheadMs: number };
  readonly orchestrator: Orchestrator;
  readonly around: Surroundings;
  /** As after a restart of the machine: another boot, a new update service. */
  reboot(): Promise<void>;
  change(request: ChangeRequest): Promise<Change>;
  /** `kiosk@1.4.0` for each offer, and the reason for each update that is not offered. */
  check(): Promise<{ offers: string[]; notOffered: Record<string, string> }>;
  close(): Promise<void>;
}

export async function fleetDevice(
  admin: Administrator,
  about: {
    name: string;
    products: readonly string[];
    tags?: readonly string[];
    /** The administrator's; nothing is downloaded or installed by itself unless they say so. */
    settings?: object;
  },
): Promise<FleetDevice> {
  const root = mkdtempSync(join(tmpdir(), "upbeat-fleet-"));
  const { token } = await admin.upbeat("devices", "token");
  const config = await enrol({
    root,
    serverUrl: admin.server.url,
    token: EnrolToken.parse(token),
    name: about.name,
    products: about.products.map((product) => ({
      product: Product.parse(product),
      channel: Channel.parse("stable"),
    })),
  });
  const paths = devicePaths(root);
  mkdirSync(dirname(paths.tags), { recursive: true });
  writeFileSync(paths.tags, (about.tags ?? []).map((tag) => `${tag}\n`).join(""));
  const around = surroundings(root);
  around.settings({ download: "ask", install: "ask", ...about.settings });
  // How hard the machine works that runs the tests is no matter of the device's.
  mkdirSync(join(root, "proc"), { recursive: true });
  writeFileSync(join(root, "proc/loadavg"), "0.00 0.00 0.00 1/1 1\n");
  let service = await startUpdateService(root);
  const clock = { aheadMs: 0 };
  const orchestrator = startOrchestrator({
    paths,
    now: () => Date.now() + clock.aheadMs,
    elapsed: () => performance.now() + clock.aheadMs,
    random: () => 0.5,
    log: () => {},
  });
  const change = async (request: ChangeRequest): Promise<Change> => {
    const { id } = orchestrator.request(request);
    for (let tries = 0; tries < 1_500; tries++) {
      const found = orchestrator.change(id);
      if (found.state !== "waiting" && found.state !== "running") return found;
      await wait(20);
    }
    throw new Error(`it does not end: ${JSON.stringify(orchestrator.change(id))}`);
  };
  return {
    root,
    paths,
    config,
    clock,
    orchestrator,
    around,
    async reboot() {
      await service.stop();
      around.boot("another");
      service = await startUpdateService(root);
      await service.idle();
    },
    change,
    async check() {
      const { check, error } = await change({ kind: "check", full: false });
      if (check === undefined) throw new Error(JSON.stringify(error));
      return {
        offers: check.offers.map(({ update }) => `${update.product}@${update.version}`),
        notOffered: Object.fromEntries(
          check.notOffered.map((it) => [`${it.product}@${it.version}`, it.reason]),
        ),
      };
    },
    async close() {
      await orchestrator.stop();
      await service.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
