import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sha256 } from "../../protocol/ids.ts";
import { parseSnapshot, parseTimestamp } from "../../protocol/trust/schema.ts";
import type { SnapshotMeta } from "./rules.ts";
import { openSigner } from "./signer.ts";

const HOUR_MS = 3_600_000;
let folder: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-signer-"));
  nowMs = Date.parse("2026-06-01T12:00:00Z");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => openSigner(folder, () => nowMs);
const meta = (versions: Record<string, number>, digit = "a"): SnapshotMeta =>
  Object.fromEntries(
    Object.entries(versions).map(([role, version]) => [
      role,
      { version, length: 10, sha256: Sha256.parse(digit.repeat(64)) },
    ]),
  );
const REFUSED = expect.objectContaining({ code: "UPB-SIGNER-REFUSED" });
const state = () => readFileSync(join(folder, "state.json"), "utf8");

describe("the signer", () => {
  it("keeps its keys to itself and is the same after a restart", () => {
    const { keys } = open();
    for (const name of ["snapshot.pem", "timestamp.pem"])
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o400);
    expect(open().keys).toEqual(keys);
  });

  it("names the snapshot in the timestamp, with fixed lives", () => {
    const signed = open().signSnapshot(meta({ targets: 1, stable: 1 }));
    const snapshot = parseSnapshot(signed.snapshot).signed;
    const timestamp = parseTimestamp(signed.timestamp).signed;
    expect(snapshot.expiresMs - nowMs).toBe(7 * 24 * HOUR_MS);
    expect(timestamp.expiresMs - nowMs).toBe(24 * HOUR_MS);
    expect(timestamp.snapshot.version).toBe(snapshot.version);
    expect(timestamp.snapshot.sizeBytes).toBe(signed.snapshot.length);
  });

  it.each([
    ["that goes back", { targets: 1, stable: 2 }, "a"],
    ["that is missing", { targets: 2 }, "a"],
    ["whose version says something else", { targets: 2, stable: 3 }, "b"],
  ])("refuses a role %s, also after a restart, and signs nothing", (_what, versions, digit) => {
    open().signSnapshot(meta({ targets: 2, stable: 3 }));
    const before = state();
    expect(() => open().signSnapshot(meta(versions, digit))).toThrowError(REFUSED);
    expect(state()).toBe(before);
  });

  it("refuses a set without targets", () => {
    expect(() => open().signSnapshot(meta({ stable: 1 }))).toThrowError(REFUSED);
  });

  it("refuses when its clock is behind its last signature", () => {
    open().signSnapshot(meta({ targets: 1 }));
    nowMs -= 1_000;
    expect(() => open().renew()).toThrowError(REFUSED);
    expect(() => open().signSnapshot(meta({ targets: 2 }))).toThrowError(REFUSED);
  });

  it("renews the timestamp alone while the snapshot has half of its life", () => {
    const first = open().signSnapshot(meta({ targets: 1 }));
    nowMs += 84 * HOUR_MS;
    expect(open().renew().snapshotVersion).toBe(first.snapshotVersion);
    nowMs += HOUR_MS;
    const later = open().renew();
    expect(later.snapshotVersion).toBe(first.snapshotVersion + 1);
    expect(parseTimestamp(later.timestamp).signed.version).toBe(3);
    expect(parseSnapshot(later.snapshot).signed.meta.get("targets")?.version).toBe(1);
  });

  it("renews at most 60 times an hour, publishes as often as needed", () => {
    const signer = open();
    signer.signSnapshot(meta({ targets: 1 }));
    for (let count = 0; count < 60; count++) signer.renew();
    expect(() => signer.renew()).toThrowError(REFUSED);
    for (let count = 0; count < 3; count++) signer.signSnapshot(meta({ targets: 1 }));
    nowMs += HOUR_MS;
    signer.renew();
  });

  it("has nothing to renew before the first publish", () => {
    expect(() => open().renew()).toThrowError(REFUSED);
  });

  it("does not start from a damaged record of what it signed", () => {
    open().signSnapshot(meta({ targets: 1 }));
    writeFileSync(join(folder, "state.json"), state().slice(0, 20));
    expect(open).toThrowError(expect.objectContaining({ code: "UPB-SIGNER-STATE" }));
  });
});
