import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product } from "../../protocol/ids.ts";
import type { ChangeRequest } from "../../protocol/orchestratorApi.ts";
import { type Changes, type ChangeWork, changes } from "./changes.ts";
import { type OrchestratorDatabase, openDatabase } from "./database.ts";

const CHECK: ChangeRequest = { kind: "check", full: false };
const ROLLBACK: ChangeRequest = { kind: "rollback", product: Product.parse("kiosk") };

let folder: string;
let database: OrchestratorDatabase;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-changes-"));
  database = openDatabase(folder, 0);
});
afterEach(() => {
  database.sql.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (work: ChangeWork): Changes => changes(database, work, () => 1_000);
const forever: ChangeWork = async (_change, { signal }) => {
  await wait(60_000, undefined, { signal });
  return "succeeded";
};

describe("changes", () => {
  it("run one at a time, in the order in which they were asked for", async () => {
    const seen: string[] = [];
    const all = open(async (change) => {
      seen.push(`begin ${change.request.kind}`);
      await wait(5);
      seen.push(`end ${change.request.kind}`);
      return "succeeded";
    });
    all.request(CHECK);
    const { id } = all.request({ kind: "install" });
    await ended(all, id);
    expect(seen).toEqual(["begin check", "end check", "begin install", "end install"]);
  });

  it("that fail keep the code, and do not hold up the next one", async () => {
    let first = true;
    const all = open(async () => {
      if (!first) return "nothing-to-do";
      first = false;
      throw new UpbeatError("UPB-DEVICE-NOT-ENROLLED", { object: "x" });
    });
    const { id } = all.request(CHECK);
    const next = all.request(CHECK);
    await ended(all, next.id);
    expect(all.find(id)).toMatchObject({
      state: "failed",
      endedMs: 1_000,
      error: { code: "UPB-DEVICE-NOT-ENROLLED" },
    });
    expect(all.find(next.id).state).toBe("nothing-to-do");
  });

  it("do not pile up without end", () => {
    const all = open(forever);
    const ask = () => {
      for (let count = 0; count < 100; count++) all.request(CHECK);
    };
    expect(ask).toThrow(expect.objectContaining({ code: "UPB-CHANGE-QUEUE-FULL" }));
    return all.stop();
  });

  it("that nobody asked for are named as such", () => {
    const all = open(forever);
    expect(() => all.find("5a0c7f0e-6c39-4b4e-8a94-0f1f4a9a2b11")).toThrow(
      expect.objectContaining({ code: "UPB-CHANGE-UNKNOWN" }),
    );
  });
});

describe("after a restart", () => {
  it("a check that was cut off runs again, and so does what was waiting", async () => {
    const before = open(forever);
    const cut = before.request(CHECK);
    const waiting = before.request(ROLLBACK);
    await before.stop();
    const after = open(async () => "succeeded");
    after.resume();
    await ended(after, waiting.id);
    expect(after.find(cut.id).state).toBe("succeeded");
    expect(after.find(waiting.id).state).toBe("succeeded");
  });

  it("a rollback that was cut off does not run twice", async () => {
    const before = open(forever);
    const { id } = before.request(ROLLBACK);
    await before.stop();
    let runs = 0;
    const after = open(async () => {
      runs += 1;
      return "succeeded";
    });
    after.resume();
    expect(after.find(id)).toMatchObject({
      state: "failed",
      error: { code: "UPB-CHANGE-NOT-DONE" },
    });
    await after.stop();
    expect(runs).toBe(0);
  });
});

async function ended(all: Changes, id: string): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (!["waiting", "running"].includes(all.find(id).state)) return;
    await wait(5);
  }
  throw new Error("it does not end");
}
