/** Support bundles: judged elsewhere as on the machine itself; what somebody evil made does no harm. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../cli/run.ts";
import { Diagnosis } from "../../../protocol/troubleshooting/diagnosis.ts";
import { testWorld } from "../../../tests/support/cliWorld.ts";
import { writeArchive } from "./archive.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-bundle-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const upbeat = async (...args: string[]) => {
  const env = { PATH: process.env.PATH ?? "", UPBEAT_ROOT: join(folder, "machine") };
  const world = testWorld(args, { env, cwd: folder, now: Date.now });
  const code = await run(world);
  return { code, out: world.printed.out, err: world.printed.err };
};
const causes = (out: string) => Diagnosis.parse(JSON.parse(out)).findings.map((it) => it.cause);
const evidence = (facts: object) =>
  JSON.stringify({ format: 1, looked: { atMs: 0, facts, failures: {}, tookMs: {} } });

it("says elsewhere what the troubleshooter says on the machine, and keeps its secrets there", async () => {
  mkdirSync(join(folder, "machine/var/lib/upbeat"), { recursive: true });
  mkdirSync(join(folder, "machine/etc/upbeat"), { recursive: true });
  mkdirSync(join(folder, "machine/var/log/upbeat"), { recursive: true });
  const login = "http://till:hunter22@proxy.corp.example:3128";
  const config = {
    serverUrl: "https://updates.corp.example",
    deviceId: `dev-${"0".repeat(32)}`,
    name: "till-seven",
    products: [],
    transfer: { proxy: { https: login } },
  };
  writeFileSync(join(folder, "machine/etc/upbeat/device.json"), JSON.stringify(config));
  const log = `via ${login} for /home/grace from updates.corp.example at 10.20.30.40\n`;
  writeFileSync(join(folder, "machine/var/log/upbeat/orchestrator.log"), log);
  const here = await upbeat("troubleshoot", "--json");
  expect((await upbeat("support-bundle", "--output", "b.tar.gz")).code).toBe(0);
  const there = await upbeat("troubleshoot", "--bundle", "b.tar.gz", "--json");
  expect(causes(there.out)).toEqual(causes(here.out));
  expect(causes(there.out)).toContain("manager-stopped");
  const all = execFileSync("tar", ["-xzOf", join(folder, "b.tar.gz")], { encoding: "utf8" });
  expect(all).toContain("host-1");
  expect(all).not.toMatch(/hunter22|corp\.example|till-seven|grace|10\.20\.30\.40/);
  // It never overwrites.
  const again = await upbeat("support-bundle", "--output", "b.tar.gz", "--json");
  expect(JSON.parse(again.out)).toMatchObject({ error: { code: "UPB-BUNDLE-WRITE" } });
}, 60_000);

describe("a bundle that somebody evil made", () => {
  const judged = async (file: string) => {
    const before = readdirSync(folder).toSorted();
    const { out, code } = await upbeat("troubleshoot", "--bundle", file, "--json");
    expect(readdirSync(folder).toSorted()).toEqual(before);
    expect(code).not.toBe(0);
    return JSON.parse(out) as { error?: { code: string } };
  };
  const tar = (...args: string[]) =>
    execFileSync("tar", ["-czPf", join(folder, "evil.tar.gz"), "-C", folder, ...args]);

  it.each<[string, () => void]>([
    [
      "has a link to a file of this machine",
      () => {
        mkdirSync(join(folder, "upbeat-support"));
        symlinkSync("/etc/passwd", join(folder, "upbeat-support/evidence.json"));
        tar("upbeat-support");
      },
    ],
    [
      "unpacks to more than fits",
      () => {
        mkdirSync(join(folder, "upbeat-support"));
        writeFileSync(join(folder, "upbeat-support/evidence.json"), Buffer.alloc(40_000_000, " "));
        tar("upbeat-support");
      },
    ],
    [
      "names paths outside itself",
      () => {
        writeFileSync(join(folder, "planted"), "x");
        tar("--transform=s,planted,../../planted-outside,", "planted");
      },
    ],
    [
      "is cut short",
      () => writeFileSync(join(folder, "evil.tar.gz"), Buffer.from("1f8b0800", "hex")),
    ],
    ["is a folder", () => mkdirSync(join(folder, "evil.tar.gz"))],
  ])("and that %s is refused, with nothing written", async (_, make) => {
    make();
    expect(await judged("evil.tar.gz")).toMatchObject({ error: { code: "UPB-BUNDLE-UNREADABLE" } });
  });

  it("cannot write to the terminal, flood it, or break a check", async () => {
    const evil = "\u001b]0;owned\u0007\u001b[2J";
    const entry = { path: evil, kind: "other", mode: 0, uid: 0, gid: 0, expected: 0, owner: 0 };
    const facts = { permissions: { entries: Array(5_000).fill(entry) }, clock: { server: evil } };
    await writeArchive(join(folder, "evil.tar.gz"), { "evidence.json": evidence(facts) });
    const { out } = await upbeat("troubleshoot", "--bundle", "evil.tar.gz");
    expect(out).not.toContain("\u001b]");
    expect(out).not.toContain("\u0007");
    expect(out.split("\n").length).toBeLessThan(1_000);
    expect(out).toContain("Clock could not be looked at");
  });
});
