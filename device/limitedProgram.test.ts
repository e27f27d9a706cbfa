import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runLimited } from "./limitedProgram.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-program-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const LIMITS = { timeoutMs: 20_000, maxOutputBytes: 1_000, maxMemoryBytes: 128 * 1024 * 1024 };

function program(text: string): string {
  const file = join(folder, "program");
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}
const run = (text: string, limits: Partial<typeof LIMITS> & { input?: string } = {}) =>
  runLimited({ file: program(text), args: [], folder, ...LIMITS, ...limits });

it("a program gets its input and gives its output", async () => {
  expect(await run("#!/bin/sh\ntr a-z A-Z\n", { input: "hello" })).toEqual({
    ok: true,
    output: "HELLO",
  });
});

it("one that fails says how it ended, with its last words", async () => {
  const end = await run("#!/bin/sh\necho the disk is gone >&2\nexit 9\n");
  expect(end).toEqual({ ok: false, because: "it ended with exit status 9: the disk is gone" });
});

it("one that hangs is ended with everything that it started", async () => {
  const started = join(folder, "survivor");
  const end = await run(`#!/bin/sh\n(sleep 3; touch ${started}) &\nsleep 60\n`, { timeoutMs: 500 });
  expect(end).toMatchObject({ ok: false, because: expect.stringContaining("within 0.5 s") });
  await wait(3_500);
  expect(existsSync(started)).toBe(false);
});

it("one that leaves something running does not hold up the answer", async () => {
  expect(await run("#!/bin/sh\nsleep 60 &\necho done\n")).toEqual({ ok: true, output: "done\n" });
});

it("one that floods is ended", async () => {
  expect(await run("#!/bin/sh\nexec yes\n")).toMatchObject({
    ok: false,
    because: expect.stringContaining("more than 1000 bytes"),
  });
});

it("one that eats memory gets none beyond its limit", async () => {
  const end = await run("#!/bin/sh\nexec perl -e '$x = \"a\" x 400_000_000; print length $x'\n");
  expect(end.ok).toBe(false);
});

it("one that is told to stop stops", async () => {
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(), 200);
  const file = program("#!/bin/sh\nsleep 60\n");
  const end = await runLimited({ file, args: [], folder, ...LIMITS, signal: stopping.signal });
  expect(end).toMatchObject({ ok: false, because: expect.stringContaining("told to stop") });
});

it("one that cannot be started is a reason too", async () => {
  const file = join(folder, "missing");
  expect((await runLimited({ file, args: [], folder, ...LIMITS })).ok).toBe(false);
});

it("the environment of this process is not handed on", async () => {
  process.env.UPBEAT_TEST_SECRET = "hidden";
  const end = await run("#!/bin/sh\nenv\n");
  delete process.env.UPBEAT_TEST_SECRET;
  expect(end.ok && end.output).not.toContain("hidden");
});
