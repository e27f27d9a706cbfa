import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{protocol,core,content,device,server,cli,web,tests,bench}/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Ours wait for other processes; one second is too short for two busy processors.
    expect: { poll: { timeout: 30_000 } },
  },
});
