/** How the real update service fetches: through proxies, from mirrors, as root configured it. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UpdateId } from "../../protocol/ids.ts";
import type { TransferSettings } from "../../protocol/transfer.ts";
import {
  type StaticRepository,
  type StaticServer,
  staticRepository,
} from "../../tests/support/staticRepository.ts";
import {
  prepareDevice,
  type RunningService,
  startUpdateService,
} from "../../tests/support/updateServiceProcess.ts";

let folder: string;
let repository: StaticRepository;
let server: StaticServer;
let update: UpdateId;
let running: RunningService[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-manners-"));
  running = [];
  repository = await staticRepository(join(folder, "repository"));
  const tree = join(folder, "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "one"), "1".repeat(100_000));
  writeFileSync(join(tree, "two"), "2".repeat(200_000));
  update = await repository.publish(tree, { product: "kiosk", version: "1.0.0" });
  server = await repository.serve();
});

afterEach(async () => {
  for (const service of running) await service.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function download(
  serverUrl: string,
  transfer?: Partial<TransferSettings>,
  env: Record<string, string> = {},
): Promise<string | undefined> {
  const root = join(folder, `device-${running.length}`);
  prepareDevice(root, {
    serverUrl,
    trustedRoot: repository.root,
    products: { kiosk: "stable" },
    ...(transfer === undefined ? {} : { transfer }),
  });
  const service = await startUpdateService(root, env);
  running.push(service);
  await service.request({ kind: "download", update });
  const { updates } = await service.idle();
  return updates[0]?.error?.code ?? updates[0]?.state;
}

/** A proxy that knows where `updates.test` is, which nobody else does. */
async function proxy(target: string): Promise<{ url: string; server: Server; seen: string[] }> {
  const seen: string[] = [];
  const relay = createServer((incoming, response) => {
    seen.push(incoming.url ?? "");
    const { pathname } = new URL(incoming.url ?? "", "http://updates.test");
    const { host: _host, ...headers } = incoming.headers;
    request(new URL(pathname, target), { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end();
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const { port } = relay.address() as AddressInfo; // it listens on TCP
  return { url: `http://127.0.0.1:${port}`, server: relay, seen };
}

describe("the update service", () => {
  it("goes through the proxy of its environment, or the one that root configured", async () => {
    const relay = await proxy(server.url);
    try {
      const address = "http://updates.test";
      expect(await download(address, undefined, { HTTP_PROXY: relay.url })).toBe("downloaded");
      expect(relay.seen.some((url) => url.startsWith(`${address}/content/`))).toBe(true);
      const configured = { proxy: { http: relay.url } };
      const wrong = { HTTP_PROXY: "http://127.0.0.1:9" };
      expect(await download(address, configured, wrong)).toBe("downloaded");
    } finally {
      relay.server.closeAllConnections();
      relay.server.close();
    }
  });

  it("takes content from the mirrors first, and metadata from the server alone", async () => {
    const mirror = await repository.serve();
    try {
      expect(await download(server.url, { mirrors: [mirror.url] })).toBe("downloaded");
      expect(mirror.requests.every((path) => path.startsWith("/content/"))).toBe(true);
      expect(mirror.requests.length).toBeGreaterThan(0);
      expect(server.requests.some((path) => path.startsWith("/content/"))).toBe(false);
    } finally {
      await mirror.close();
    }
  });

  it("goes on with the server when a mirror is down, lacks or damages the content", async () => {
    const down = await repository.serve();
    await down.close();
    const lying = await repository.serve();
    lying.fail({ kind: "corrupt" });
    const empty = await (await staticRepository(join(folder, "empty"))).serve();
    try {
      const mirrors = [down.url, lying.url, empty.url];
      expect(await download(server.url, { mirrors })).toBe("downloaded");
      expect(server.requests.some((path) => path.startsWith("/content/"))).toBe(true);
    } finally {
      await lying.close();
      await empty.close();
    }
  });

  it("holds a background download to the limit of the settings, where root's rules say nothing", async () => {
    const root = join(folder, "limited");
    const products = { kiosk: "stable" };
    prepareDevice(root, { serverUrl: server.url, trustedRoot: repository.root, products });
    const service = await startUpdateService(root);
    running.push(service);
    const limit = 100_000;
    const before = server.sentBytes();
    const startMs = performance.now();
    await service.request({
      ...{ kind: "download", update, background: true },
      bandwidth: [{ background: limit }],
    });
    expect((await service.idle()).updates[0]?.state).toBe("downloaded");
    const seconds = (performance.now() - startMs) / 1_000;
    // A busy machine makes it slower, nothing makes it faster; the first and last pieces are at once.
    const bytes = server.sentBytes() - before;
    expect(bytes).toBeGreaterThan(300_000);
    expect(bytes / seconds).toBeLessThan(1.5 * limit);
  });

  it("goes on where it was after kill -9, and holds to the rate that root set", async () => {
    const tree = join(folder, "big");
    mkdirSync(tree);
    writeFileSync(join(tree, "big"), randomBytes(600_000));
    const big = await repository.publish(tree, { product: "kiosk", version: "2.0.0" });
    const root = join(folder, "cut");
    const device = {
      serverUrl: server.url,
      trustedRoot: repository.root,
      products: { kiosk: "stable" },
    };
    const { updateServiceState } = prepareDevice(root, {
      ...device,
      transfer: { bandwidth: [{ foreground: 60_000 }] },
    });
    const service = await startUpdateService(root);
    running.push(service);
    await service.request({ kind: "download", update: big });
    const had = await partOf(join(updateServiceState, "incoming"), 150_000);
    // Ten seconds' worth of bytes: at that rate it cannot be whole yet.
    expect(had).toBeLessThan(600_000);
    await service.kill();
    prepareDevice(root, device);
    const before = server.sentBytes();
    const next = await startUpdateService(root);
    running.push(next);
    expect((await next.idle()).updates[0]?.state).toBe("downloaded");
    expect(server.sentBytes() - before).toBeLessThan(600_000 - had + 50_000);
  });
});

/** How much has arrived of the object that is being fetched, once it is so much. */
async function partOf(incoming: string, atLeast: number): Promise<number> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) {
    for (const name of existsSync(incoming) ? readdirSync(incoming) : []) {
      const size = statSync(join(incoming, name), { throwIfNoEntry: false })?.size ?? 0;
      if (name.endsWith(".part") && size >= atLeast) return size;
    }
  }
  throw new Error("nothing arrives");
}
