import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serviceLog } from "./serviceLog.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the log of a service", () => {
  it("never grows beyond its size, and keeps three older files", () => {
    const path = join(folder, "a.log");
    const log = serviceLog(path, 100);
    for (let line = 0; line < 100; line++) log.append(Buffer.from(`line number ${line}\n`));
    for (const name of [path, `${path}.1`, `${path}.2`, `${path}.3`]) {
      expect(statSync(name).size).toBeLessThanOrEqual(100);
    }
    expect(existsSync(`${path}.4`)).toBe(false);
  });

  it("gives the newest lines in their order, across files and processes", () => {
    const path = join(folder, "a.log");
    const first = serviceLog(path, 40);
    for (const line of ["one", "two", "three"])
      first.append(Buffer.from(`${line} ${"-".repeat(10)}\n`));
    const second = serviceLog(path, 40);
    second.append(Buffer.from("four\n"));
    const words = second.tail(3).map((line) => line.split(" ")[0]);
    expect(words).toEqual(["two", "three", "four"]);
  });

  it("keeps the last words of the newest process only", () => {
    const log = serviceLog(join(folder, "a.log"));
    log.append(Buffer.from("old\n"));
    log.beginProcess();
    log.append(Buffer.from("new\n"));
    expect(log.lastWords()).toBe("new");
  });
});
