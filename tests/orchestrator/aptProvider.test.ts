/**
 * The provider for Debian's own packages, with the real apt and dpkg, on a package database and a
 * repository of its own below a temporary folder.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ProviderId } from "../../protocol/providers.ts";
import { type OrchestratedDevice, orchestratedDevice } from "../support/orchestratedDevice.ts";

const SHIPPED = join(import.meta.dirname, "../../packaging/providers/apt");
const VERBS = ["scan", "refresh", "download", "install"];
const apt = ProviderId.parse("apt");

let device: OrchestratedDevice;
let folder: string;
beforeEach(async () => {
  device = await orchestratedDevice(["kiosk"]);
  folder = join(device.paths.root, "debian");
  makeDebian();
  registerApt();
  publish("1.0-1");
  run("apt-get", "--quiet=2", "update");
  run("apt-get", "--yes", "--quiet=2", "install", "upbeat-sample");
  publish("1.1-1");
});
afterEach(() => device.close());

const environment = () => ({
  PATH: process.env.PATH,
  LANG: "C",
  APT_CONFIG: join(folder, "apt.conf"),
});
const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8", env: environment(), stdio: "pipe" });

/** An apt and a dpkg that know nothing of the machine that runs the test. */
function makeDebian(): void {
  for (const part of [
    "root/var/lib/dpkg/info",
    "root/var/lib/dpkg/updates",
    "lists/partial",
    "cache/archives/partial",
    "etc/preferences.d",
    "repository",
    "log",
  ]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  for (const name of ["status", "available"])
    writeFileSync(join(folder, "root/var/lib/dpkg", name), "");
  writeFileSync(join(folder, "sources.list"), `deb [trusted=yes] file:${folder}/repository ./\n`);
  writeFileSync(
    join(folder, "apt.conf"),
    `Dir::State "${folder}";
Dir::State::lists "${folder}/lists";
Dir::State::status "${folder}/root/var/lib/dpkg/status";
Dir::State::extended_states "${folder}/extended_states";
Dir::Cache "${folder}/cache";
Dir::Log "${folder}/log";
Dir::Etc::sourcelist "${folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "${folder}/etc/preferences.d";
Dir::Etc::parts "/dev/null";
APT::Architecture "all";
APT::Architectures "all";
APT::Sandbox::User "";
Dpkg::Options:: "--root=${folder}/root";
Dpkg::Options:: "--force-not-root";
Dpkg::Options:: "--force-script-chrootless";
Dpkg::Options:: "--force-architecture";
Dpkg::Options:: "--log=${folder}/dpkg.log";
Dpkg::Use-Pty "false";
`,
  );
}

/** The shipped programs, told where that Debian is: they get no environment from Upbeat. */
function registerApt(): void {
  mkdirSync(join(device.paths.providersFolder, "apt"), { recursive: true });
  for (const verb of VERBS) {
    const file = join(device.paths.providersFolder, "apt", verb);
    writeFileSync(
      file,
      `#!/bin/sh
export APT_CONFIG=${folder}/apt.conf DPKG_ROOT=${folder}/root DPKG_ADMINDIR=${folder}/root/var/lib/dpkg
exec ${join(SHIPPED, verb)}
`,
    );
    chmodSync(file, 0o755);
  }
}

function publish(version: string): void {
  const source = join(folder, `source-${version}`);
  mkdirSync(join(source, "DEBIAN"), { recursive: true });
  mkdirSync(join(source, "usr/share/upbeat-sample"), { recursive: true });
  chmodSync(join(source, "DEBIAN"), 0o755);
  writeFileSync(join(source, "usr/share/upbeat-sample/version"), version);
  const control = `Package: upbeat-sample
Version: ${version}
Architecture: all
Maintainer: Upbeat <upbeat@example.org>
Description: a package for a test
`;
  writeFileSync(join(source, "DEBIAN/control"), control);
  const file = join(folder, "repository", `upbeat-sample_${version}_all.deb`);
  run("dpkg-deb", "--build", "--root-owner-group", source, file);
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  const entry = `${control}Filename: ./upbeat-sample_${version}_all.deb
Size: ${statSync(file).size}
SHA256: ${sha256}

`;
  writeFileSync(join(folder, "repository/Packages"), entry);
}

const installedVersion = (): string =>
  readFileSync(join(folder, "root/usr/share/upbeat-sample/version"), "utf8");

it("finds what apt would upgrade, and upgrades it", async () => {
  expect(installedVersion()).toBe("1.0-1");
  // The first check fetches the lists, with the rights of the update service.
  const { check } = await device.check();
  expect(check?.providers).toMatchObject([
    {
      provider: "apt",
      updates: [
        { id: "upbeat-sample", version: "1.1-1", installedVersion: "1.0-1", restart: "never" },
      ],
    },
  ]);
  expect(check?.providers[0]).not.toHaveProperty("failure");

  expect((await device.change({ kind: "download", provider: apt })).state).toBe("succeeded");
  expect(installedVersion()).toBe("1.0-1");
  expect(await device.change({ kind: "install" })).toMatchObject({ state: "succeeded" });
  expect(installedVersion()).toBe("1.1-1");
  expect((await device.orchestrator.status()).providers).toMatchObject([{ updates: [] }]);
  expect(await device.orchestrator.history(10)).toMatchObject([
    { provider: "apt", title: "upbeat-sample", result: "succeeded" },
  ]);
});

it("brings no package that the machine does not have, whoever asks", async () => {
  run("dpkg", `--root=${folder}/root`, "--force-not-root", "--remove", "upbeat-sample");
  const updates = ["upbeat-sample"];
  await device.service.request({ kind: "provider", provider: apt, verb: "install", updates });
  await device.service.idle();
  expect(installedVersion).toThrow();
});
