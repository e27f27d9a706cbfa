import { describe, expect, it } from "vitest";
import { installForecast } from "./installForecast.ts";
import { learned, type StageTimes } from "./stageTimes.ts";

const measured = (...runs: [Parameters<typeof learned>[1], number, number][]): StageTimes =>
  runs.reduce<StageTimes>(
    (times, [phase, tookMs, bytes]) => learned(times, phase, { tookMs, bytes }),
    {},
  );

describe("the forecast of an install", () => {
  it("is not given before this machine has installed anything", () => {
    expect(installForecast({}, 1_000)).toBeUndefined();
    expect(installForecast(measured(["switch", 10, 0]), 1_000)).toBeUndefined();
  });

  it("counts as downtime only what passes between the old version and the proved new one", () => {
    const times = measured(
      ["verify", 100, 0],
      ["stage", 1_000, 10_000_000],
      ["switch", 50, 0],
      ["health-check", 2_000, 0],
      ["commit", 20, 0],
    );
    expect(installForecast(times, 10_000_000)).toEqual({ installMs: 3_170, downtimeMs: 2_050 });
    const twice = installForecast(times, 20_000_000);
    expect(twice).toEqual({ installMs: 4_170, downtimeMs: 2_050 });
  });
});
