/**
 * The whole way of the bytes: `upbeat publish` to the real server, the real update service from there.
 * What the publisher wrote, the device must take: packs, patches, chains of them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Product, UpdateId } from "../protocol/ids.ts";
import { type Administrator, administrator } from "./support/administrator.ts";
import { differences, readTree } from "./support/deviceTree.ts";
import { seededRandom } from "./support/random.ts";
import {
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "./support/updateServiceProcess.ts";

const product = Product.parse("kiosk");
let admin: Administrator;
let service: RunningService;

beforeAll(async () => {
  admin = await administrator();
  const root = join(admin.folder, "machine");
  const metadata = join(admin.folder, "data/repo/metadata");
  prepareDevice(root, {
    serverUrl: admin.server.url,
    trustedRoot: readFileSync(join(metadata, "1.root.json")),
    products: { [product]: "stable" },
  });
  service = await startUpdateService(root);
}, 60_000);

afterAll(async () => {
  await service.stop();
  await admin.close();
});

function text(seed: number, length: number): string {
  const random = seededRandom(seed);
  return Array.from({ length: length / 2 }, () => random.below(256).toString(16)).join("");
}

function build(version: number): string {
  const folder = join(admin.folder, `build-${version}`);
  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  for (let i = 0; i < 40; i++) put(`lib/module-${i}.js`, text(i, 2_000 + i));
  put("program", `${text(700, 1_000_000)}${version}${text(701, 400_000)}`);
  put("same", text(800, 1_200_000));
  put(`only-in-${version}`, text(900 + version, 4_000));
  put("empty", "");
  return folder;
}

describe("what `upbeat publish` writes", () => {
  it.each([
    ["1.0.0", "files"],
    ["2.0.0", "patches"],
    ["3.0.0", "patches"],
  ])("is taken by a machine: %s comes as %s", async (version, way) => {
    const folder = build(Number(version[0]));
    const args = ["publish", folder, "--product", product, "--version", version];
    const { exitCode, answer } = await admin.attempt(...args);
    expect(exitCode).toBe(0);
    const { update } = z.object({ update: UpdateId }).parse(answer);
    await service.request({ kind: "download", update });
    await service.idle();
    await service.request({ kind: "install", update });
    await service.idle();
    const [entry] = await service.history();
    expect(entry).toMatchObject({ operation: "install", result: "succeeded", toVersion: version });
    expect(entry?.download).toMatchObject({ way, fellBack: [] });
    if (way === "patches") expect(entry?.download?.bytes).toBeLessThan(20_000);
    const current = join(service.paths.installed, "products", product, "current");
    expect(differences(readTree(folder), readTree(current))).toEqual([]);
  });
});
