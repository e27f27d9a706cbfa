/**
 * A signed repository as plain files behind a plain HTTP server: for tests of a device without the
 * real update server. Written with the product's own writer; keys are in memory.
 */
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { targetFileName } from "../../content/metadataSource.ts";
import { readTree } from "../../content/readTree.ts";
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import { Channel, indexPath, Product, type UpdateId } from "../../protocol/ids.ts";
import { ProductIndex, UpdateManifest } from "../../protocol/manifest.ts";
import { type TreeEntry, writePayload } from "../../protocol/payload.ts";
import { expiry, LIFE_MS, metaOf } from "../../protocol/trust/documents.ts";
import { newSigningKey, type SigningKey, signMetadata } from "../../protocol/trust/sign.ts";
import { addUpdate, firstRepository } from "../../protocol/trust/writer.ts";
import { type ReleasedTree, writeDelivery } from "./deliveryFiles.ts";

export interface StaticRepository {
  readonly folder: string;
  /** `1.root.json`. */
  readonly root: Uint8Array;
  /** A device trusts this for what it says about `release`; `payload` replaces the folder's own. */
  publish(tree: string, release: Release): Promise<UpdateId>;
  serve(): Promise<StaticServer>;
}

export type Release = Partial<
  Omit<typeof UpdateManifest._zod.input, "product" | "version" | "payload">
> & {
  product: string;
  version: string;
  payload?: TreeEntry[];
  /** With a delivery that has patches from these versions; absent: everything lies there plainly. */
  patchesFrom?: readonly string[];
};

export type Fault =
  | { kind: "down" }
  | { kind: "busy"; retryAfterSeconds?: number }
  | { kind: "slow"; bytesPerSecond: number }
  | { kind: "truncate"; atByte: number }
  | { kind: "wrong-length" }
  | { kind: "html" }
  | { kind: "no-ranges" }
  | { kind: "corrupt" };

export interface StaticServer {
  readonly url: string;
  readonly requests: string[];
  /** Everything that was answered so far, headers included. */
  sentBytes(): number;
  /** For every path that `where` matches; undefined ends the fault. */
  fail(fault: Fault | undefined, where?: RegExp): void;
  close(): Promise<void>;
}

interface Keys {
  readonly root: SigningKey;
  readonly targets: SigningKey;
  readonly stable: SigningKey;
  readonly beta: SigningKey;
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
}

const key = (): SigningKey => newSigningKey().key;

export async function staticRepository(
  folder: string,
  nowMs = Date.now(),
): Promise<StaticRepository> {
  const keys: Keys = {
    root: key(),
    targets: key(),
    stable: key(),
    beta: key(),
    snapshot: key(),
    timestamp: key(),
  };
  const roles = new Map<string, { version: number; bytes: Uint8Array }>();
  const indexes = new Map<string, ProductIndex>();
  const released = new Map<string, ReleasedTree>();
  let version = 0;

  const put = (path: string, bytes: Uint8Array) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };

  const show = (update: RepositoryUpdate): void => {
    for (const { path, bytes } of update.targets) {
      const content = Buffer.from(bytes, "base64");
      put(`targets/${targetFileName(path, metaOf(content).hashes.sha256)}`, content);
      if (path.endsWith("/index"))
        indexes.set(path, ProductIndex.parse(JSON.parse(content.toString())));
    }
    for (const [role, text] of Object.entries(update.roles)) {
      const bytes = Buffer.from(text, "base64");
      const next = (roles.get(role)?.version ?? 0) + 1;
      roles.set(role, { version: next, bytes });
      put(`metadata/${next}.${role}.json`, bytes);
    }
    version += 1;
    const document = (type: string, lifeMs: number, meta: object) => ({
      _type: type,
      spec_version: "1.0.34",
      version,
      expires: expiry(nowMs, lifeMs),
      meta,
    });
    const meta = Object.fromEntries(
      [...roles].map(([role, about]) => [
        `${role}.json`,
        { version: about.version, ...metaOf(about.bytes) },
      ]),
    );
    const snapshot = signMetadata(document("snapshot", LIFE_MS.snapshot, meta), [keys.snapshot]);
    put(`metadata/${version}.snapshot.json`, snapshot);
    const named = { "snapshot.json": { version, ...metaOf(snapshot) } };
    put(
      "metadata/timestamp.json",
      signMetadata(document("timestamp", LIFE_MS.timestamp, named), [keys.timestamp]),
    );
  };

  const first = firstRepository({
    root: [keys.root],
    rootThreshold: 1,
    targets: [keys.targets],
    targetsThreshold: 1,
    channels: { stable: [keys.stable], beta: [keys.beta] },
    online: { snapshot: keys.snapshot.publicHex, timestamp: keys.timestamp.publicHex },
    nowMs,
  });
  const root = Buffer.from(first.root ?? "", "base64");
  put("metadata/1.root.json", root);
  show(first);

  return {
    folder,
    root,
    async publish(tree, { product, version: release, channel = "stable", payload, ...rest }) {
      const { patchesFrom, ...about } = rest;
      const entries = payload ?? (await readTree(tree));
      const putObject = (sha256: string, bytes: Uint8Array) =>
        put(`content/${sha256.slice(0, 2)}/${sha256}`, bytes);
      const list = writePayload(entries);
      if (patchesFrom === undefined) {
        for (const entry of entries) {
          if (entry.type !== "file" || payload !== undefined) continue;
          putObject(entry.sha256, readFileSync(join(tree, entry.path)));
        }
        putObject(list.ref.sha256, list.bytes);
      }
      const earlier = (patchesFrom ?? []).map((name) => released.get(`${product}@${name}`));
      const delivery =
        patchesFrom &&
        (await writeDelivery(
          { folder: tree, entries },
          earlier.filter((one) => one !== undefined),
          putObject,
        ));
      released.set(`${product}@${release}`, { folder: tree, entries });
      const manifest = UpdateManifest.parse({
        schema: "upbeat.manifest/1.0",
        title: `${product} ${release}`,
        classification: "update",
        publishedAt: new Date(nowMs).toISOString(),
        handler: "tree",
        ...about,
        product,
        version: release,
        channel,
        payload: list.ref,
      });
      const name = Channel.parse(channel);
      const { updateId, ...update } = addUpdate({
        current: (role) => roles.get(role)?.bytes,
        index: indexes.get(indexPath(name, Product.parse(product))),
        manifest,
        ...(delivery === undefined ? {} : { delivery }),
        channelKeys: [name === "beta" ? keys.beta : keys.stable],
        nowMs,
      });
      show(update);
      return updateId;
    },
    serve: () => serveFolder(folder),
  };
}

async function serveFolder(folder: string): Promise<StaticServer> {
  let fault: { fault: Fault; where: RegExp } | undefined;
  const requests: string[] = [];
  let sentBytes = 0;
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "/";
    requests.push(path);
    const { socket } = response;
    const before = socket?.bytesWritten ?? 0;
    response.once("close", () => {
      sentBytes += (socket?.bytesWritten ?? before) - before;
    });
    answer(folder, request, response, fault?.where.test(path) ? fault.fault : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP, so it is one
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    sentBytes: () => sentBytes,
    fail: (next, where = /^/) => {
      fault = next && { fault: next, where };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault | undefined,
): void {
  if (fault?.kind === "down") {
    request.socket.destroy();
    return;
  }
  if (fault?.kind === "busy") {
    if (fault.retryAfterSeconds !== undefined)
      response.setHeader("retry-after", fault.retryAfterSeconds);
    response.writeHead(503).end();
    return;
  }
  if (fault?.kind === "html") {
    response
      .writeHead(200, { "content-type": "text/html" })
      .end("<html><body>Please log in to the network</body></html>");
    return;
  }
  const file = join(folder, decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname));
  const sizeBytes = statSync(file, { throwIfNoEntry: false })?.isFile()
    ? statSync(file).size
    : undefined;
  if (sizeBytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { ino, mtimeMs } = statSync(file);
  const etag = `"${ino}-${mtimeMs}-${sizeBytes}"`;
  response.setHeader("etag", etag);
  if (fault === undefined && request.headers["if-none-match"] === etag) {
    response.writeHead(304).end();
    return;
  }
  const ifRange = request.headers["if-range"];
  const [, from, to = ""] =
    fault?.kind === "no-ranges" || (ifRange !== undefined && ifRange !== etag)
      ? []
      : (/^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? []);
  const start = Number(from ?? 0);
  const end = Math.min(to === "" ? sizeBytes : Number(to) + 1, sizeBytes);
  response.statusCode = from === undefined ? 200 : 206;
  if (from !== undefined)
    response.setHeader("content-range", `bytes ${start}-${end - 1}/${sizeBytes}`);
  response.setHeader(
    "content-length",
    fault?.kind === "wrong-length" ? sizeBytes * 2 : end - start,
  );
  if (fault === undefined || fault.kind === "no-ranges") {
    if (start < end) createReadStream(file, { start, end: end - 1 }).pipe(response);
    else response.end();
    return;
  }
  const bytes = readFileSync(file).subarray(start, end);
  if (fault.kind === "corrupt") {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[0] = (changed[0] ?? 0) ^ 1;
    response.end(changed);
  } else if (fault.kind === "truncate") {
    response.write(bytes.subarray(0, fault.atByte));
    setTimeout(() => request.socket.destroy(), 20);
  } else if (fault.kind === "wrong-length") {
    response.write(bytes);
    setTimeout(() => request.socket.destroy(), 20);
  } else drip(response, bytes, fault.bytesPerSecond);
}

function drip(response: ServerResponse, bytes: Buffer, bytesPerSecond: number): void {
  let at = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(at, at + 1));
    at += 1;
    if (at < bytes.length) return;
    clearInterval(timer);
    response.end();
  }, 1_000 / bytesPerSecond);
  response.on("close", () => clearInterval(timer));
}
