/**
 * Faults that come seldom: hardware, memory, Upbeat's own files, installed files, updates that fail
 * every time. A test has no failing disk: what the kernel says comes from a file in the place of
 * /dev/kmsg, in the machines' own name space; all that follows from it is real.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { changeSettings } from "../../../device/deviceCalls.ts";
import { NEW } from "./lab.ts";
import { type LabDevice, until } from "./labDevice.ts";
import type { Fault } from "./trial.ts";

const SMALL_DISK = { sizeBytes: 16 * 1024 * 1024, files: 2_000 };
const orchestratorDb = ({ paths }: LabDevice) => join(paths.orchestratorState, "orchestrator.db");
const heal = (device: LabDevice) => device.lab.heal();

export const RARE_FAULTS: readonly Fault[] = [
  {
    name: "the kernel reports errors of the disk",
    cause: "disk-failing",
    // A file system of its own, so that the lines can be of that one.
    options: { disk: SMALL_DISK },
    break: (device) =>
      kernelSays(device, ["3", "I/O error, dev tmpfs, sector 2048 op 0x0:(READ) flags 0x0"]),
    instruction: heal,
  },
  {
    name: "the system ran out of memory and ended a service",
    cause: "out-of-memory",
    async break(device) {
      const pid = await device.pidOf("orchestrator");
      process.kill(pid, "SIGKILL");
      kernelSays(device, ["3", `Out of memory: Killed process ${pid} (node) total-vm:1234kB`]);
      await until(async () => (await device.pidOf("orchestrator").catch(() => pid)) !== pid);
    },
    instruction: heal,
  },
  {
    name: "a file of Upbeat itself was cut short",
    cause: "agent-files-changed",
    options: { ownProgram: true },
    break(device) {
      truncateSync(join(device.program, "device/orchestrator/reporter.ts"), 100);
      // Running programs have read it already: it shows when the service starts again.
      void device.upbeat("services", "restart", "orchestrator");
      return until(async () =>
        (await device.services()).some(
          ({ state }) => state === "failed" || state === "backing-off",
        ),
      );
    },
    instruction: (device) => device.installProgram(),
  },
  {
    name: "an installed file was removed, another one overwritten",
    cause: "installed-files-damaged",
    break({ paths }) {
      const folder = join(paths.installed, "products/kiosk/current");
      rmSync(join(folder, "main.js"));
      // A new file in its place, so that the store's own copy stays as it is.
      rmSync(join(folder, "data.bin"));
      writeFileSync(join(folder, "data.bin"), Buffer.alloc(64 * 1024, "x"));
    },
  },
  {
    name: "an update fails every time, because its place cannot be written",
    cause: "same-failure-again",
    async break(device) {
      const products = join(device.paths.installed, "products/kiosk/versions");
      device.lab.inside("mount", ["--bind", products, products]);
      device.lab.inside("mount", ["-o", "remount,bind,ro", products]);
      for (let times = 0; times < 3; times++) await device.upbeat("install", "kiosk");
    },
    async instruction(device) {
      device.lab.inside("umount", [join(device.paths.installed, "products/kiosk/versions")]);
      await device.installVersion(NEW);
    },
  },
  {
    name: "updates are published in a format that this Upbeat does not know",
    cause: "agent-too-old",
    async break(device) {
      // It decides anew after its start: then what stands there stays.
      await changeSettings(device.root, { set: {}, unset: [] });
      // What a check by this version remembers of such a manifest: none can be published from here.
      const detail = "Its manifest cannot be used: version 2 of the format (UPB-MANIFEST-VERSION).";
      const about = { product: "kiosk", version: "2.0.0", reason: "not-installable", detail };
      edit(device, "evaluation", (kept) => ({
        ...kept,
        result: { ...(kept.result as object), offers: [], notOffered: [about] },
      }));
    },
    // The newer Upbeat looks again.
    instruction: async (device) => void (await device.must("check", "--full")),
  },
  {
    name: "the server refused reports for a week, and nobody tries again soon",
    cause: "reports-stuck",
    async break(device) {
      let refused = 0;
      device.lab.front.interfere = (req, res) => {
        if (req.url?.endsWith("/reports") !== true) return false;
        refused += 1;
        res.writeHead(503, { "retry-after": "3600" }).end();
        return true;
      };
      const before = Date.now() - 8 * 86_400_000;
      const db = new DatabaseSync(orchestratorDb(device), { timeout: 5_000 });
      const id = "00000000-0000-4000-8000-000000000001";
      const event = { id, atMs: before, kind: "check", outcome: "unchanged" };
      db.exec("DELETE FROM events");
      db.prepare("INSERT INTO events (id, kind, body) VALUES (?, 'check', ?)").run(
        id,
        JSON.stringify(event),
      );
      db.close();
      await device.must("check");
      await until(async () => refused > 0);
      device.lab.front.interfere = undefined;
    },
  },
  {
    name: "the last check failed for a reason that is gone",
    cause: "checks-fail",
    async break(device) {
      device.lab.front.interfere = (_req, res) => {
        res.writeHead(503).end();
        return true;
      };
      await device.upbeat("check");
      device.lab.front.interfere = undefined;
    },
  },
  {
    name: "a folder stands where signed metadata is kept",
    cause: "trust-cache-damaged",
    async break(device) {
      const servers = join(device.paths.orchestratorState, "server");
      const [server = ""] = readdirSync(servers);
      const kept = join(servers, server, "metadata/snapshot.json");
      rmSync(kept);
      mkdirSync(kept);
      await device.upbeat("check", "--full");
    },
  },
  {
    name: "a service that crashed waits ten minutes for its next try",
    cause: "service-waits",
    options: {
      env: {
        UPBEAT_TEST_SUPERVISION: JSON.stringify({ delaysMs: [600_000], stopMs: 3_000 }),
      },
    },
    async break(device) {
      process.kill(await device.pidOf("orchestrator"), "SIGKILL");
      await until(async () =>
        (await device.services()).some(({ state }) => state === "backing-off"),
      );
    },
  },
  {
    name: "an update waits for a restart of the machine",
    cause: "restart-pending",
    async break(device) {
      const config = JSON.parse(readFileSync(device.paths.config, "utf8")) as {
        products: object[];
      };
      config.products.push({ product: "driver", channel: "stable" });
      writeFileSync(device.paths.config, JSON.stringify(config));
      boot(device, "00000000-0000-4000-8000-00000000000a");
      await device.lab.releaseDriver();
      await device.must("check", "--full");
      await device.upbeat("install", "driver");
      const { updates } = await device.status();
      const driver = updates.find(({ product }) => product === "driver");
      if (driver?.state !== "restart-pending") throw new Error(`it is ${driver?.state}`);
    },
    async instruction(device) {
      await device.stop();
      boot(device, "00000000-0000-4000-8000-00000000000b");
      await device.startManager();
      await until(async () =>
        (await device.status()).updates.some(
          ({ product, state }) => product === "driver" && state === "installed",
        ),
      );
    },
  },
  {
    name: "the administrator's settings were edited into nonsense",
    cause: "settings-unreadable",
    break: ({ paths }) => writeFileSync(paths.settings, '{ "graceDays": "many" '),
    instruction: ({ paths }) => rmSync(paths.settings),
  },
  {
    name: "settings are against each other",
    cause: "settings-contradict",
    harmless: true,
    break: ({ paths }) =>
      writeFileSync(paths.settings, JSON.stringify({ graceDays: 7, qualityDeadlineDays: 2 })),
  },
  {
    name: "updates were paused and forgotten",
    cause: "paused",
    break: async (device) => void (await device.must("pause")),
    instruction: async (device) => void (await device.must("resume")),
  },
  {
    name: "the system itself waits for a restart",
    cause: "system-restart-pending",
    harmless: true,
    break({ lab }) {
      lab.inside("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
      lab.onHeal(async () => void lab.inside("umount", ["/run"]));
      lab.inside("sh", [
        "-c",
        "echo libc6 > /run/reboot-required.pkgs; echo > /run/reboot-required",
      ]);
    },
  },
];

/** Lines as the kernel writes them: priority and text. Of the moment. */
function kernelSays(device: LabDevice, ...lines: readonly [string, string][]): void {
  const { lab } = device;
  const file = join(lab.folder, "kmsg");
  const at = Math.round(uptime() * 1e6);
  const text = lines.map(([priority, words], n) => `${priority},${n},${at},-;${words}\n`).join("");
  writeFileSync(file, text);
  lab.inside("mount", ["--bind", file, "/dev/kmsg"]);
  lab.onHeal(async () => void lab.inside("umount", ["/dev/kmsg"]));
}

/** The machine's root brings its own: a container restarts without its kernel. */
function boot(device: LabDevice, id: string): void {
  const folder = join(device.root, "proc/sys/kernel/random");
  device.lab.inside("mkdir", ["-p", folder]);
  writeFileSync(join(folder, "boot_id"), `${id}\n`);
}

function edit(
  device: LabDevice,
  name: string,
  change: (kept: Record<string, unknown>) => object,
): void {
  const db = new DatabaseSync(orchestratorDb(device), { timeout: 5_000 });
  const row = db.prepare("SELECT value FROM remembered WHERE name = ?").get(name);
  const next = JSON.stringify(change(JSON.parse(String(row?.value)) as Record<string, unknown>));
  db.prepare("UPDATE remembered SET value = ? WHERE name = ?").run(next, name);
  db.close();
}
