/** The troubleshooter's process is followed, and stopped when something hangs beyond its limits. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { devicePaths } from "../paths.ts";
import { CHECKS } from "./checks/index.ts";
import { runTroubleshooter } from "./run.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "upbeat-run-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("names the cause on a machine where nothing is set up, and makes every check", async () => {
  const seen: string[] = [];
  const listener = { onCheck: ({ id }: { id: string }) => void seen.push(id) };
  const env = process.env;
  const { checks, findings } = await runTroubleshooter({ root, env, repair: false, listener });
  expect(findings.map(({ cause }) => cause)).toContain("not-enrolled");
  expect(checks.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
  expect(seen).toEqual(CHECKS.map(({ id }) => id));
}, 60_000);

it("ends when a file never answers, and says of what it could not see that it did not answer", async () => {
  // Whoever opens this waits for ever, as on a dead network file system, and so does its process.
  const { config } = devicePaths(root);
  mkdirSync(dirname(config), { recursive: true });
  execFileSync("mkfifo", [config]);
  const env = process.env;
  const { checks } = await runTroubleshooter({ root, env, repair: false, limitMs: 8_000 });
  expect(checks).toHaveLength(CHECKS.length);
  expect(checks.find(({ id }) => id === "clock")).toMatchObject({
    outcome: "unknown",
    because: expect.stringMatching(/did not answer within|not begun/),
  });
}, 60_000);
