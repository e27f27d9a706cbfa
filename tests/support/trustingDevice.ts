/** A device as far as trust goes: the real store on a real disk, the real fetching, a clock to turn. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { httpMetadataSource } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { openCached, refresh } from "../../protocol/trust/client.ts";
import type { TufSet } from "../../protocol/trust/search.ts";
import {
  NOW_MS,
  type SimulatorServer,
  type TrustSimulator,
  trustSimulator,
} from "./trustSimulator.ts";

export interface TrustingDevice {
  readonly folder: string;
  /** What its clock says. */
  nowMs: number;
  trustedRoot: Uint8Array;
  refresh(): Promise<TufSet>;
  openCached(): Promise<TufSet | undefined>;
  /** SHA-256 by file name of everything in its store. */
  disk(): Record<string, string>;
}

/** A repository, its server, and a device that has refreshed once. `close` removes everything. */
export async function world(): Promise<{
  simulator: TrustSimulator;
  server: SimulatorServer;
  device: TrustingDevice;
  close(): Promise<void>;
}> {
  const simulator = trustSimulator();
  const server = await simulator.serve();
  const folder = mkdtempSync(join(tmpdir(), "upbeat-trust-"));
  const device = trustingDevice(folder, simulator.firstRoot, server.url);
  const close = async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { simulator, server, device, close };
}

export function trustingDevice(folder: string, trustedRoot: Uint8Array, url: URL): TrustingDevice {
  const store = metadataStore(folder);
  const source = httpMetadataSource(url);
  const device: TrustingDevice = {
    folder,
    nowMs: NOW_MS,
    trustedRoot,
    refresh: () => refresh({ ...options(), source }),
    openCached: () => openCached(options()),
    disk: () => contentsOf(folder),
  };
  const options = () => ({ trustedRoot: device.trustedRoot, store, now: () => device.nowMs });
  return device;
}

function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  return Object.fromEntries(
    files.map((path) => [
      relative(folder, path),
      createHash("sha256").update(readFileSync(path)).digest("hex"),
    ]),
  );
}

/** The attack fails with that code. With `disk`, nothing that was trusted has changed. */
export async function expectRefusal(
  attempt: Promise<unknown>,
  code: ErrorCode,
  device: TrustingDevice,
  before: Record<string, string>,
  mayChange: readonly string[] = [],
): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UpbeatError);
  expect((error as UpbeatError).code).toBe(code);
  const kept = (disk: Record<string, string>) =>
    Object.fromEntries(Object.entries(disk).filter(([name]) => !mayChange.includes(name)));
  expect(kept(device.disk())).toEqual(kept(before));
}
