import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder } from "./singleInstance.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("a second process on the same folder is refused, with the number of the first", () => {
  const lock = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(
    expect.objectContaining({
      code: "UPB-SERVICE-ALREADY-RUNNING",
      detail: expect.stringContaining(String(process.pid)),
    }),
  );
  lock.release();
  lockFolder(folder).release();
});

it("the lock of a process that was killed is free at once", async () => {
  const module = JSON.stringify(join(import.meta.dirname, "singleInstance.ts"));
  const program = `import(${module}).then((it) => { it.lockFolder(${JSON.stringify(folder)});
    console.log("held"); setInterval(() => {}, 1000); });`;
  const holder = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  expect(() => lockFolder(folder)).toThrow(
    expect.objectContaining({ detail: expect.stringContaining(String(holder.pid)) }),
  );
  holder.kill("SIGKILL");
  await once(holder, "close");
  lockFolder(folder).release();
});

it("a folder that cannot be used is named", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  expect(() => lockFolder(join(file, "state"))).toThrow(
    expect.objectContaining({ code: "UPB-SERVICE-STATE-FOLDER", object: join(file, "state") }),
  );
});
