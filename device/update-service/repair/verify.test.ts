/** `upbeat verify` as the real update service does it. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Product, type UpdateId } from "../../../protocol/ids.ts";
import type { HistoryEntry } from "../../../protocol/updateServiceApi.ts";
import { differences, readTree, type Tree } from "../../../tests/support/deviceTree.ts";
import { type StaticServer, staticRepository } from "../../../tests/support/staticRepository.ts";
import {
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "../../../tests/support/updateServiceProcess.ts";

const product = Product.parse("kiosk");
let folder: string;
let installed: string;
let server: StaticServer;
let service: RunningService;
let expected: Tree;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-verify-"));
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "lib/empty"), { recursive: true });
  writeFileSync(join(tree, "start"), "#!/bin/sh\n");
  chmodSync(join(tree, "start"), 0o755);
  writeFileSync(join(tree, "lib/data"), "data ".repeat(50_000));
  writeFileSync(join(tree, "lib/notes"), "notes");
  symlinkSync("lib/data", join(tree, "link"));
  expected = readTree(tree);
  const repository = await staticRepository(join(folder, "repository"));
  const update: UpdateId = await repository.publish(tree, { product, version: "1.0.0" });
  server = await repository.serve();
  const root = join(folder, "device");
  const paths = prepareDevice(root, {
    serverUrl: server.url,
    trustedRoot: repository.root,
    products: { [product]: "stable" },
  });
  service = await startUpdateService(root);
  await service.request({ kind: "download", update });
  await service.idle();
  await service.request({ kind: "install", update });
  await service.idle();
  installed = join(paths.installed, "products", product, "versions/1.0.0");
});

afterAll(async () => {
  await service.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function verify(): Promise<HistoryEntry> {
  const before = (await service.history()).length;
  await service.request({ kind: "verify", product });
  await service.idle();
  const history = await service.history();
  expect(history).toHaveLength(before + 1);
  const [entry] = history;
  if (entry === undefined) throw new Error(service.output());
  return entry;
}

const wrong = () => differences(expected, readTree(installed));

describe("verifying what is installed", () => {
  it("finds a whole version whole, and asks the server for nothing", async () => {
    const asked = server.requests.length;
    const entry = await verify();
    expect(entry).toMatchObject({ operation: "verify", result: "succeeded", toVersion: "1.0.0" });
    expect(entry.verify).toMatchObject({ checkedFiles: 3, damagedCount: 0, unknownCount: 0 });
    expect(server.requests).toHaveLength(asked);
    const { updates, products } = await service.status();
    expect(updates[0]?.state).toBe("installed");
    expect(products[0]?.current).toBe("1.0.0");
  });

  it("mends what is missing or has another mode, kind or target from the store", async () => {
    const asked = server.requests.length;
    unlinkSync(join(installed, "lib/notes"));
    unlinkSync(join(installed, "link"));
    symlinkSync("/etc/passwd", join(installed, "link"));
    rmSync(join(installed, "lib/empty"), { recursive: true });
    rmSync(join(installed, "start"));
    mkdirSync(join(installed, "start/inside"), { recursive: true });
    chmodSync(join(installed, "lib"), 0o700);
    const entry = await verify();
    expect(entry.result).toBe("succeeded");
    expect(entry.verify).toMatchObject({ damagedCount: 5, mendedCount: 5, fetchedCount: 0 });
    expect(entry.verify?.damaged).toContainEqual({ path: "link", what: "another target" });
    expect(wrong()).toEqual([]);
    expect(server.requests).toHaveLength(asked);
  });

  it("takes from the server what was damaged in the store too", async () => {
    appendFileSync(join(installed, "lib/data"), "!");
    const entry = await verify();
    expect(entry.verify).toMatchObject({
      damaged: [{ path: "lib/data", what: "other content" }],
      mendedCount: 1,
      fetchedCount: 1,
    });
    expect(wrong()).toEqual([]);
  });

  it("leaves alone what is not its own, and says how much that is", async () => {
    writeFileSync(join(installed, "lib/settings"), "mine");
    const entry = await verify();
    expect(entry.verify).toMatchObject({ damagedCount: 0, unknownCount: 1 });
    expect(readdirSync(join(installed, "lib"))).toContain("settings");
    rmSync(join(installed, "lib/settings"));
  });

  it("never writes through a link that took a folder's place", async () => {
    const outside = join(folder, "outside");
    renameSync(join(installed, "lib"), outside);
    unlinkSync(join(outside, "notes"));
    symlinkSync(outside, join(installed, "lib"));
    const entry = await verify();
    expect(entry.result).toBe("succeeded");
    expect(wrong()).toEqual([]);
    expect(readdirSync(outside)).not.toContain("notes");
  });

  it("says what is damaged and mends the rest when the server has no whole copy", async () => {
    server.fail({ kind: "corrupt" }, /^\/content\//);
    appendFileSync(join(installed, "lib/data"), "!");
    unlinkSync(join(installed, "lib/notes"));
    const entry = await verify();
    server.fail(undefined);
    expect(entry.result).toBe("failed");
    expect(entry.error?.code).toBe("UPB-DOWNLOAD-WRONG-CONTENT");
    expect(entry.verify).toMatchObject({ damagedCount: 2, mendedCount: 1 });
    expect(wrong()).toHaveLength(1);
    expect((await verify()).result).toBe("succeeded");
    expect(wrong()).toEqual([]);
  });

  it("fetches the list again when it was lost, and refuses what is not installed", async () => {
    const lists = join(service.paths.updateServiceState, "payloads");
    for (const name of readdirSync(lists)) writeFileSync(join(lists, name), "damaged");
    expect((await verify()).verify).toMatchObject({ checkedFiles: 3, damagedCount: 0 });
    await expect(
      service.request({ kind: "verify", product: Product.parse("other") }),
    ).rejects.toMatchObject({ code: "UPB-VERIFY-NOTHING" });
  });
});
