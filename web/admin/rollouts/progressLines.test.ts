import { describe, expect, it } from "vitest";
import { progressLines } from "./progressLines.ts";

const point = (atMs: number, installed: number) => ({
  atMs,
  offered: installed,
  downloaded: installed,
  installed,
  failed: 0,
  rolledBack: 0,
});
const lines = (...rollout: Parameters<typeof progressLines>) =>
  new Map(progressLines(...rollout).map(({ label, points }) => [label, points]));

describe("the chart of a rollout", () => {
  it("shows counts as steps from nothing until now, and the plan as it was signed", () => {
    const plan = [
      { atMs: 0, devices: 0 },
      { atMs: 100, devices: 10 },
    ];
    const found = lines({ plan, actual: [point(20, 3)] }, 50, (key) => key);
    expect(found.get("step.installed")).toEqual([
      { atMs: 0, value: 0 },
      { atMs: 20, value: 0 },
      { atMs: 20, value: 3 },
      { atMs: 50, value: 3 },
      { atMs: 50, value: 3 },
    ]);
    expect(found.get("step.plan")?.at(-1)).toEqual({ atMs: 100, value: 10 });
  });

  it("says of every step that nobody has come to it", () => {
    const found = lines({ plan: [], actual: [] }, 50, (key) => key);
    expect(found.get("step.failed")?.every(({ value }) => value === 0)).toBe(true);
  });
});
