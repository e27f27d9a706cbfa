/** Faults of the machine's own state: services, databases, locks, disks, permissions, content. */
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { LabDevice } from "./labDevice.ts";
import { until } from "./labDevice.ts";
import type { Fault } from "./trial.ts";

const CHECKOUT = join(import.meta.dirname, "../../..");
const SMALL_DISK = { sizeBytes: 8 * 1024 * 1024, files: 2_000 };
const stateDb = ({ paths }: LabDevice) => join(paths.updateServiceState, "state.db");
const orchestratorDb = ({ paths }: LabDevice) => join(paths.orchestratorState, "orchestrator.db");
const diskOf = ({ root }: LabDevice) => join(root, "var/lib/upbeat");

export const STATE_FAULTS: readonly Fault[] = [
  {
    name: "a service was stopped by hand",
    cause: "service-stopped",
    break: async (device) => void (await device.must("services", "stop", "orchestrator")),
  },
  {
    name: "a service was disabled",
    cause: "service-disabled",
    break: async (device) => void (await device.must("services", "disable", "update-service")),
  },
  {
    name: "a service crashed until it was given up",
    cause: "service-crash-looping",
    async break(device) {
      await until(async () => {
        const [service] = await device.services();
        if (service?.pid !== undefined) kill(service.pid, "SIGKILL");
        return service?.state === "failed";
      });
    },
  },
  {
    name: "the orchestrator hangs",
    cause: "service-hung",
    break: async (device) => kill(await device.pidOf("orchestrator"), "SIGSTOP"),
  },
  {
    name: "the update service hangs",
    cause: "service-hung",
    break: async (device) => kill(await device.pidOf("update-service"), "SIGSTOP"),
  },
  {
    name: "everything was killed, the manager too",
    cause: "manager-stopped",
    break: (device) => device.stop(true),
  },
  {
    name: "a second copy of the update service holds its folder",
    cause: "state-locked",
    async break(device) {
      await device.must("services", "stop");
      const main = join(CHECKOUT, "device/update-service/main.ts");
      const stray = spawn(process.execPath, [main, "--root", device.root], {
        stdio: "ignore",
        detached: true,
      });
      stray.unref();
      await until(async () => (await device.status().catch(() => undefined)) !== undefined);
      kill(stray.pid ?? 0, "SIGSTOP");
    },
  },
  {
    name: "another program holds the database",
    cause: "state-locked",
    async break(device) {
      const script = `const { DatabaseSync } = require("node:sqlite");
        const db = new DatabaseSync(process.argv[1]); db.exec("BEGIN IMMEDIATE");
        db.exec("CREATE TABLE IF NOT EXISTS hold (x)"); console.log("held"); setInterval(() => {}, 1000);`;
      const holder = spawn(process.execPath, ["-e", script, stateDb(device)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => holder.stdout.once("data", resolve));
    },
    instruction: (_device, finding) =>
      kill(Number(/process (\d+)/.exec(finding.object)?.[1]), "SIGKILL"),
  },
  {
    name: "the update service's database was cut short",
    cause: "state-damaged",
    break: (device) =>
      truncateSync(stateDb(device), Math.floor(statSync(stateDb(device)).size / 2)),
  },
  {
    name: "the update service's database was overwritten, its services down",
    cause: "state-damaged",
    also: ["manager-stopped"],
    async break(device) {
      await device.stop(true);
      writeFileSync(stateDb(device), Buffer.alloc(20_000, "damage"));
    },
  },
  {
    name: "the orchestrator's database was overwritten in the middle",
    cause: "state-damaged",
    break: (device) => scribble(orchestratorDb(device)),
  },
  {
    name: "the database has another schema",
    cause: "state-wrong-schema",
    break(device) {
      const db = new DatabaseSync(stateDb(device), { timeout: 5_000 });
      db.exec("ALTER TABLE records RENAME COLUMN record TO body");
      db.close();
    },
  },
  {
    name: "the disk is full of what Upbeat left there itself",
    cause: "disk-full",
    also: ["manager-stopped"],
    options: { disk: SMALL_DISK },
    async break(device) {
      await device.stop(true);
      fill(device, "update-service/state.db.corrupt-2026-01-01T000000.000Z");
    },
  },
  {
    name: "the disk is full of somebody else's file",
    cause: "disk-full",
    options: { disk: SMALL_DISK },
    break: (device) => fill(device, "somebody-elses-video"),
    instruction: (device, finding) => {
      const named = finding.evidence.map((line) => /(\S+somebody-elses-video)/.exec(line)?.[1]);
      const file = named.find((it) => it !== undefined);
      if (file !== undefined) device.lab.inside("rm", ["-f", file]);
    },
  },
  {
    name: "no inode is free",
    cause: "inodes-full",
    options: { disk: SMALL_DISK },
    break(device) {
      const script = `const fs = require("node:fs"); const folder = process.argv[1] + "/tiny";
        fs.mkdirSync(folder);
        try { for (let at = 0; ; at++) fs.writeFileSync(folder + "/" + at, ""); } catch {}`;
      device.lab.inside(process.execPath, ["-e", script, diskOf(device)]);
    },
    instruction: (device) => void device.lab.inside("rm", ["-rf", join(diskOf(device), "tiny")]),
  },
  {
    name: "the disk was mounted read-only",
    cause: "read-only-mount",
    options: { disk: SMALL_DISK },
    async break(device) {
      await device.stop(true);
      device.lab.inside("mount", ["-o", "remount,ro", diskOf(device)]);
    },
    instruction: (device, finding) => {
      const [, options = ""] = /`mount -o (\S+) PATH`/.exec(finding.remedy) ?? [];
      device.lab.inside("mount", ["-o", options, finding.object]);
    },
  },
  {
    name: "the state folder is open to everybody",
    cause: "permissions-changed",
    break: (device) => chmodSync(device.paths.updateServiceState, 0o777),
  },
  {
    name: "the state folder belongs to another account",
    cause: "permissions-changed",
    break: (device) => chownSync(device.paths.orchestratorState, 12_345, 12_345),
  },
  {
    name: "the sockets' folder is closed",
    cause: "permissions-changed",
    break: (device) => chmodSync(device.paths.run, 0),
  },
  {
    name: "a downloaded file is damaged",
    cause: "payload-damaged",
    async break(device) {
      await device.must("download", "kiosk");
      const store = join(device.paths.installed, "store");
      const objects = readdirSync(store, { recursive: true, encoding: "utf8" })
        .map((name) => join(store, name))
        .filter((path) => statSync(path).isFile() && statSync(path).nlink === 1);
      // Only what waits to be installed: another name would be that of an installed file.
      const [object] = objects;
      if (object === undefined) throw new Error("nothing was downloaded");
      writeFileSync(object, Buffer.from("damage"));
    },
  },
  {
    name: "a download was cut off and nobody takes it up",
    cause: "update-stuck",
    async break(device) {
      await device.must("download", "kiosk");
      const db = new DatabaseSync(stateDb(device), { timeout: 5_000 });
      const row = db.prepare("SELECT record FROM records WHERE version = '1.1.0'").get();
      const record = {
        ...JSON.parse(String(row?.record)),
        state: "downloading",
        sinceMs: Date.now() - 3_600_000,
      };
      db.prepare("UPDATE records SET record = ? WHERE version = '1.1.0'").run(
        JSON.stringify(record),
      );
      db.close();
    },
  },
  {
    name: "the next check is planned for never",
    cause: "timer-broken",
    break(device) {
      const db = new DatabaseSync(orchestratorDb(device), { timeout: 5_000 });
      const plan = JSON.stringify({ nextCheckMs: Date.now() + 400 * 86_400_000, failures: 0 });
      db.prepare("UPDATE remembered SET value = ? WHERE name = 'plan'").run(plan);
      db.close();
    },
  },
  {
    name: "no check has worked for forty days",
    cause: "no-success-for-long",
    break(device) {
      const db = new DatabaseSync(orchestratorDb(device), { timeout: 5_000 });
      const row = db.prepare("SELECT value FROM remembered WHERE name = 'evaluation'").get();
      const old = { ...JSON.parse(String(row?.value)), checkedMs: Date.now() - 40 * 86_400_000 };
      db.prepare("UPDATE remembered SET value = ? WHERE name = 'evaluation'").run(
        JSON.stringify(old),
      );
      db.close();
    },
  },
  {
    name: "the configuration was edited into nonsense",
    cause: "config-damaged",
    break: (device) => writeFileSync(device.paths.config, "{ serverUrl: "),
    instruction: (device) => enrolAgain(device),
  },
  {
    name: "the configuration was removed",
    cause: "not-enrolled",
    break: (device) => void device.lab.inside("rm", [device.paths.config]),
    instruction: (device) => enrolAgain(device),
  },
  {
    name: "the file of the trusted root was cut short",
    cause: "trusted-root-damaged",
    break(device) {
      chmodSync(device.paths.trustedRoot, 0o644);
      truncateSync(device.paths.trustedRoot, 100);
      chmodSync(device.paths.trustedRoot, 0o444);
    },
    instruction: (device) => enrolAgain(device),
  },
];

/** What the remedy says: the file goes away and a new token is used. */
async function enrolAgain(device: LabDevice): Promise<void> {
  device.lab.inside("rm", ["-f", device.paths.config]);
  const url = `https://updates.lab.test:${device.lab.front.port}`;
  const token = await device.lab.token();
  await device.must("device", "enrol", url, "--token", token, "--product", "kiosk");
}

function fill(device: LabDevice, name: string): void {
  const script = `cat /dev/zero > "$1" 2>/dev/null; true`;
  device.lab.inside("sh", ["-c", script, "sh", join(diskOf(device), name)]);
}

/** Over what stands in the middle of a file, the size staying as it was. */
function scribble(path: string): void {
  const file = openSync(path, "r+");
  try {
    const size = readFileSync(path).length;
    for (let at = 4_096; at < size; at += 4_096)
      writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, at);
  } finally {
    closeSync(file);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ended by itself
  }
}
