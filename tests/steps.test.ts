import { describe, expect, it } from "vitest";
import { commandStep, vitestCounts } from "./steps.ts";

const node = (script: string) =>
  commandStep("it", [process.execPath, "--eval", `console.log("last words"); ${script}`]);

describe("a step", () => {
  it("passes when its command does", async () => {
    const result = await node("").run();
    expect(result).toEqual({ passed: 1, failed: 0, skipped: 0, note: "last words" });
  });

  it("fails when its command does", async () => {
    expect(await node("process.exit(3)").run()).toMatchObject({ failed: 1, note: "exit 3" });
    expect(await node("process.kill(process.pid)").run()).toMatchObject({ failed: 1 });
  });

  it("fails when its command does not exist", async () => {
    expect(await commandStep("it", ["/no/such/program"]).run()).toMatchObject({ failed: 1 });
  });

  it("is skipped, and says why, when its command could not do it", async () => {
    const result = await node("process.exit(77)").run();
    expect(result).toEqual({ passed: 0, failed: 0, skipped: 1, note: "last words" });
  });
});

describe("the counts of a Vitest report", () => {
  const report = (testResults: unknown[]) =>
    JSON.stringify({
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      testResults,
    });

  it("are those of its tests", () => {
    const failed = { status: "failed", assertionResults: [{ status: "failed" }] };
    expect(vitestCounts(report([failed]))).toEqual({ passed: 5, failed: 1, skipped: 3 });
  });

  it("count a file that cannot be loaded as a failure", () => {
    const unloadable = { status: "failed", assertionResults: [] };
    expect(vitestCounts(report([unloadable]))).toEqual({ passed: 5, failed: 2, skipped: 3 });
  });
});
