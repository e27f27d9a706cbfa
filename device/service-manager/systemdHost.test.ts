/**
 * What the service host asks of systemctl(1) and how it reads the answers, against programs of those
 * names that only write down what they were asked: that proves the translation, not systemd. With a
 * real systemd it was tried by hand in a container (docs/services.md).
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServiceInfo } from "../../protocol/servicesApi.ts";
import { devicePaths } from "../paths.ts";
import { serviceDefinitions } from "./definitions.ts";
import type { OrderedHost } from "./orderedHost.ts";
import { systemdHost } from "./systemdHost.ts";

const NOW_MS = 1_764_061_500_000;
const UPDATE = "upbeat-update-service.service";
const ORCHESTRATOR = "upbeat-orchestrator.service";

let folder: string;
let host: OrderedHost;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-systemd-"));
  // Answers from files, so that a test says what systemd would.
  fake(
    "systemctl",
    `echo "$*" >> "$DIR/asked"
    case $1 in
      show) cat "$DIR/$2";;
      start) if [ -e "$DIR/refuses" ]; then cat "$DIR/refuses" >&2; exit 1; fi;;
    esac`,
  );
  fake("journalctl", `echo "journalctl $*" >> "$DIR/asked"; echo "the database is on fire"`);
  unit(UPDATE, {});
  unit(ORCHESTRATOR, { User: "upbeat" });
  const paths = devicePaths(join(folder, "root"));
  const env = { ...process.env, DIR: folder, PATH: `${folder}:${process.env.PATH}` };
  host = systemdHost(serviceDefinitions(paths), () => NOW_MS, env);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a service that systemd runs", () => {
  it.each([
    [{}, "running"],
    [{ ActiveState: "activating", SubState: "start" }, "starting"],
    [{ ActiveState: "activating", SubState: "auto-restart" }, "backing-off"],
    [{ ActiveState: "deactivating", SubState: "stop-sigterm" }, "stopping"],
    [{ ActiveState: "failed", SubState: "failed" }, "failed"],
    [{ ActiveState: "inactive", SubState: "dead" }, "stopped"],
  ])("with %o is %s", async (properties, state) => {
    unit(UPDATE, properties);
    expect((await info()).state).toBe(state);
  });

  it.each([
    ["enabled", "automatic"],
    ["enabled-runtime", "automatic"],
    ["disabled", "manual"],
    ["static", "manual"],
    ["masked", "disabled"],
    ["masked-runtime", "disabled"],
  ])("whose unit file is %s starts up %s", async (UnitFileState, startUp) => {
    unit(UPDATE, { UnitFileState });
    expect((await info()).startUp).toBe(startUp);
  });

  it("shows process, account, since when and how often it was restarted", async () => {
    const [one, two] = await host.list();
    expect(one).toMatchObject({
      pid: 4711,
      sinceMs: 1_764_061_200_000,
      restarts: 2,
      account: "root",
    });
    expect(one?.lastExit).toBeUndefined();
    expect(two).toMatchObject({ account: "upbeat", dependsOn: ["update-service"] });
  });

  it("that was given up shows how it ended and the last words of that process", async () => {
    const ended = { ActiveState: "failed", MainPID: "0", ExecMainExitTimestamp: "@1764061201" };
    unit(UPDATE, { ...ended, ExecMainCode: "2", ExecMainStatus: "9" });
    expect(await info()).toMatchObject({
      state: "failed",
      lastExit: {
        code: null,
        signal: "SIGKILL",
        atMs: 1_764_061_201_000,
        lastWords: "the database is on fire",
      },
    });
    expect(asked().at(-1)).toContain(`_SYSTEMD_UNIT=${UPDATE} _PID=4711 --lines=12`);
    unit(UPDATE, { ...ended, ExecMainCode: "1", ExecMainStatus: "7" });
    expect((await info()).lastExit).toMatchObject({ code: 7, signal: null });
  });

  it("prints its own lines of the journal", async () => {
    expect(await host.logs("orchestrator", 50)).toEqual(["the database is on fire"]);
    expect(asked()).toEqual([
      `journalctl _SYSTEMD_UNIT=${ORCHESTRATOR} --lines=50 --output=cat --no-pager --quiet`,
    ]);
  });
});

describe("an action", () => {
  it("stops what depends on a service before it, and a restart starts both in order", async () => {
    await host.act("update-service", "stop");
    expect(changes()).toEqual([`stop ${ORCHESTRATOR}`, `stop ${UPDATE}`]);
    for (const name of [UPDATE, ORCHESTRATOR]) unit(name, { ActiveState: "failed" });
    await host.act("orchestrator", "start");
    expect(changes().slice(2)).toEqual([
      `reset-failed ${UPDATE}`,
      `start ${UPDATE}`,
      `reset-failed ${ORCHESTRATOR}`,
      `start ${ORCHESTRATOR}`,
    ]);
  });

  it("sets the start-up type: enabled, disabled, or masked so that nothing starts it", async () => {
    await host.act("orchestrator", "manual");
    await host.act("orchestrator", "disable");
    await host.act("orchestrator", "enable");
    expect(changes()).toEqual([
      `unmask ${ORCHESTRATOR}`,
      `disable ${ORCHESTRATOR}`,
      `disable ${ORCHESTRATOR}`,
      `mask ${ORCHESTRATOR}`,
      `stop ${ORCHESTRATOR}`,
      `unmask ${ORCHESTRATOR}`,
      `enable ${ORCHESTRATOR}`,
    ]);
  });

  it("does not start what is disabled, nor what needs it", async () => {
    unit(UPDATE, { UnitFileState: "masked", ActiveState: "inactive" });
    await expect(host.act("orchestrator", "start")).rejects.toMatchObject({
      code: "UPB-SERVICE-DISABLED",
      object: "update-service",
    });
    expect(changes()).toEqual([]);
  });

  it("says what systemd said when it refuses, and a crash is a state", async () => {
    unit(UPDATE, { ActiveState: "inactive" });
    writeFileSync(join(folder, "refuses"), "Access denied\n");
    await expect(host.act("update-service", "start")).rejects.toMatchObject({
      code: "UPB-SERVICE-SYSTEMD",
      detail: "Access denied",
    });
    unit(UPDATE, { ActiveState: "failed" });
    expect((await host.act("update-service", "start")).state).toBe("failed");
  });

  it("leaves starting at boot and stopping at shutdown to systemd", async () => {
    await host.startAutomatic();
    await host.stopAll();
    expect(existsSync(join(folder, "asked"))).toBe(false);
  });
});

describe("the unit files", () => {
  const units = join(import.meta.dirname, "../../packaging/systemd");
  const canVerify = spawnSync("systemd-analyze", ["--version"]).status === 0;

  it.runIf(canVerify)("have nothing that systemd does not know", () => {
    const files = readdirSync(units).map((name) => join(units, name));
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], {
      encoding: "utf8",
    });
    // It only warns of a key that it does not know. The programs are not installed here.
    const complaints = stderr
      .split("\n")
      .filter((line) => line !== "" && !/Command \/usr\/\S+ is not executable/.test(line));
    expect(complaints).toEqual([]);
  });
});

function fake(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** What `systemctl show` says: a unit that runs, but for what is different. */
function unit(name: string, differs: Record<string, string>): void {
  const properties = {
    ActiveState: "active",
    SubState: "running",
    UnitFileState: "enabled",
    MainPID: "4711",
    NRestarts: "2",
    StateChangeTimestamp: "@1764061200",
    ExecMainPID: "4711",
    ExecMainCode: "0",
    ExecMainStatus: "0",
    ExecMainExitTimestamp: "",
    User: "",
    ...differs,
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

const asked = (): string[] =>
  existsSync(join(folder, "asked"))
    ? readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n")
    : [];

const changes = (): string[] => asked().filter((line) => !/^(?:show|journalctl) /.test(line));

async function info(): Promise<ServiceInfo> {
  const found = (await host.list()).find(({ name }) => name === "update-service");
  if (found === undefined) throw new Error("no update service");
  return found;
}
