import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { Sha256 } from "../../../protocol/ids.ts";
import { BandwidthRule } from "../../../protocol/transfer.ts";
import { seededRandom } from "../../../tests/support/random.ts";
import { fetchContent, type TransferLimits, type TransferWorld } from "./fetchContent.ts";
import type { Content } from "./places.ts";
import { sourcesOf } from "./sources.ts";
import { throttle } from "./throttle.ts";

const LIMITS: TransferLimits = {
  rounds: 3,
  idleTimeoutMs: 10_000,
  minBytesPerSecond: 1,
  speedWindowMs: 60_000,
  backoffMs: 1,
  maxWaitMs: 2_000,
};

const random = seededRandom(7);
const BYTES = Buffer.from(Array.from({ length: 300_000 }, () => random.below(256)));
const SHA256 = Sha256.parse(createHash("sha256").update(BYTES).digest("hex"));
const WHOLE: Content = { sha256: SHA256, sizeBytes: BYTES.length };
const PATH = `/content/${SHA256.slice(0, 2)}/${SHA256}`;

type Answer = (request: IncomingMessage, response: ServerResponse, asked: number) => void;

interface Place {
  readonly url: URL;
  readonly requests: IncomingMessage["headers"][];
}

let folder: string;
let servers: Server[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-fetch-"));
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function place(answer: Answer): Promise<Place> {
  const requests: IncomingMessage["headers"][] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    if (request.url === PATH) answer(request, response, requests.length);
    else response.writeHead(404).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { url: new URL(`http://127.0.0.1:${port}`), requests };
}

const ETAG = `"${SHA256}"`;

/** A static server as they are, with ranges and If-Range. */
const honest: Answer = ({ headers }, response) => {
  const [, from = "", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  const ranged = from !== "" && [undefined, ETAG].includes(headers["if-range"] as string);
  const start = ranged ? Number(from) : 0;
  const end = ranged && to !== "" ? Number(to) : BYTES.length - 1;
  if (ranged) response.setHeader("content-range", `bytes ${start}-${end}/${BYTES.length}`);
  response.setHeader("etag", ETAG);
  response.writeHead(ranged ? 206 : 200).end(BYTES.subarray(start, end + 1));
};

/** Sends so much and breaks off when that is on the other side's disk: what is in flight may be lost. */
function sendAndBreak(response: ServerResponse, bytes: Uint8Array, etag = ETAG): void {
  response.writeHead(200, { etag, "content-length": BYTES.length });
  response.write(bytes);
  const part = join(folder, `${SHA256}.part`);
  const timer = setInterval(() => {
    if (statSync(part, { throwIfNoEntry: false })?.size !== bytes.length) return;
    clearInterval(timer);
    response.destroy();
  }, 5);
  response.on("close", () => clearInterval(timer));
}

const cutAt =
  (bytes: number): Answer =>
  (_request, response) =>
    sendAndBreak(response, BYTES.subarray(0, bytes));

const status =
  (code: number, headers = {}): Answer =>
  (_request, response) =>
    response.writeHead(code, headers).end();

const corrupt: Answer = (_request, response) => {
  const changed = Buffer.from(BYTES);
  changed[1_000] = (changed[1_000] ?? 0) ^ 1;
  response.end(changed);
};

const firstThen =
  (first: Answer, then: Answer): Answer =>
  (request, response, asked) =>
    (asked === 1 ? first : then)(request, response, asked);

function world(places: readonly Place[], differs: Partial<TransferWorld> = {}): TransferWorld {
  return {
    folder,
    sources: sourcesOf(
      places.map(({ url }) => url),
      () => performance.now(),
    ),
    throttle: throttle([], "foreground", () => new Date()),
    limits: LIMITS,
    ...differs,
  };
}

const get = (at: TransferWorld, content = WHOLE, skip = 0) =>
  fetchContent(at, { content, skip, onProgress: () => {} });

const arrived = (name: string = SHA256) => readFileSync(join(folder, name)).equals(BYTES);

async function codeOf(work: Promise<void>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof UpbeatError ? error.code : String(error);
}

describe("an object", () => {
  it("goes on where a broken connection left it, if it is still the same", async () => {
    const server = await place(firstThen(cutAt(100_000), honest));
    await get(world([server]));
    expect(arrived()).toBe(true);
    expect(server.requests[0]?.range).toBeUndefined();
    expect(server.requests[1]).toMatchObject({ range: "bytes=100000-", "if-range": ETAG });
    expect(readdirSync(folder)).toEqual([SHA256]);
  });

  it("goes on after the process that began it is gone", async () => {
    const dies = await place(cutAt(120_000));
    const once = world([dies], { limits: { ...LIMITS, rounds: 1 } });
    expect(await codeOf(get(once))).toBe("UPB-FETCH-TRUNCATED");
    const server = await place(honest);
    await get(world([server]));
    expect(arrived()).toBe(true);
    // Begun elsewhere: that place's ETag says nothing here, and the hash decides.
    expect(server.requests).toMatchObject([{ range: "bytes=120000-" }]);
    expect(server.requests[0]?.["if-range"]).toBeUndefined();
  });

  it("is not fetched again when it had arrived whole", async () => {
    writeFileSync(join(folder, SHA256), BYTES);
    const server = await place(honest);
    await get(world([server]));
    expect(arrived()).toBe(true);
    expect(server.requests).toHaveLength(0);
    writeFileSync(join(folder, SHA256), Buffer.alloc(BYTES.length));
    await get(world([server]));
    expect(arrived()).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it("begins anew when the server has another one meanwhile", async () => {
    const old = Buffer.alloc(1_000);
    const server = await place(
      firstThen((_request, response) => sendAndBreak(response, old, '"old"'), honest),
    );
    await get(world([server]));
    expect(server.requests[1]).toMatchObject({ range: "bytes=1000-", "if-range": '"old"' });
    expect(arrived()).toBe(true);
  });

  it("does not rely on a weak ETag", async () => {
    const server = await place(
      firstThen(
        (_request, response) => sendAndBreak(response, BYTES.subarray(0, 500), 'W/"x"'),
        honest,
      ),
    );
    await get(world([server]));
    expect(server.requests[1]?.["if-range"]).toBeUndefined();
    expect(arrived()).toBe(true);
  });

  it("comes whole from a server or proxy that knows no ranges", async () => {
    const server = await place(
      firstThen(cutAt(100_000), (_request, response) => response.end(BYTES)),
    );
    await get(world([server]));
    expect(arrived()).toBe(true);
  });

  it("is thrown away and fetched again when what was there before was wrong", async () => {
    writeFileSync(join(folder, `${SHA256}.part`), Buffer.alloc(200_000));
    const server = await place(honest);
    await get(world([server]));
    expect(arrived()).toBe(true);
    expect(server.requests.map(({ range }) => range)).toEqual(["bytes=200000-", undefined]);
  });

  it("is refused when it was compressed on its way, and nothing of it is kept", async () => {
    const server = await place(status(200, { "content-encoding": "gzip" }));
    expect(await codeOf(get(world([server])))).toBe("UPB-FETCH-ENCODED");
    expect(server.requests[0]?.["accept-encoding"]).toBe("identity");
    expect(readdirSync(folder)).toEqual([]);
  });

  it("waits as long as a busy server asks for", async () => {
    const server = await place(firstThen(status(503, { "retry-after": "1" }), honest));
    const startedMs = performance.now();
    await get(world([server]));
    // No sooner: a lower bound holds on a loaded machine too.
    expect(performance.now() - startedMs).toBeGreaterThan(990);
    expect(server.requests).toHaveLength(2);
  });

  it("is not called slow while this side holds it up", async () => {
    const server = await place(honest);
    const rule = BandwidthRule.parse({ background: 1_000_000 });
    const limits = { ...LIMITS, minBytesPerSecond: 1e9, speedWindowMs: 20 };
    const slowly = throttle([rule], "background", () => new Date());
    await get(world([server], { throttle: slowly, limits }));
    expect(arrived()).toBe(true);
  });
});

describe("an empty object", () => {
  it("needs no server", async () => {
    const sha256 = Sha256.parse(createHash("sha256").digest("hex"));
    const server = await place(honest);
    await get(world([server]), { sha256, sizeBytes: 0 });
    expect(readFileSync(join(folder, sha256))).toHaveLength(0);
    expect(server.requests).toHaveLength(0);
  });
});

describe("several places", () => {
  it.each([
    ["is down", (_request: IncomingMessage, response: ServerResponse) => response.destroy()],
    ["has not got it", status(404)],
    ["is busy", status(503)],
    ["has a damaged copy", corrupt],
    ["compresses again", status(200, { "content-encoding": "gzip" })],
    ["asks for a password", status(407)],
  ])("go on with the next one when a mirror %s", async (_what, answer) => {
    const mirror = await place(answer);
    const server = await place(honest);
    await get(world([mirror, server]));
    expect(arrived()).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it("spare the next object the one that failed", async () => {
    const mirror = await place((_request, response) => response.destroy());
    const server = await place(honest);
    const both = world([mirror, server]);
    await get(both);
    rmSync(join(folder, SHA256));
    await get(both);
    expect(mirror.requests).toHaveLength(1);
    expect(server.requests).toHaveLength(2);
  });

  it("are passed over as often as what came was wrong", async () => {
    const mirror = await place(honest);
    const server = await place(honest);
    await get(world([mirror, server]), WHOLE, 1);
    expect(mirror.requests).toHaveLength(0);
  });

  it("say in the end what the last of them said", async () => {
    const mirror = await place(status(404));
    const server = await place(status(403));
    expect(await codeOf(get(world([mirror, server])))).toBe("UPB-FETCH-REFUSED");
    expect([mirror.requests.length, server.requests.length]).toEqual([1, 1]);
  });
});

describe("a part of an object", () => {
  const PART: Content = { sha256: SHA256, sizeBytes: 50_000, offset: 70_000 };
  const NAME = `${SHA256}.70000-50000`;
  const isRight = () => readFileSync(join(folder, NAME)).equals(BYTES.subarray(70_000, 120_000));

  it("is asked for alone", async () => {
    const server = await place(honest);
    await get(world([server]), PART);
    expect(server.requests[0]?.range).toBe("bytes=70000-119999");
    expect(isRight()).toBe(true);
  });

  it("goes on in its middle", async () => {
    writeFileSync(join(folder, `${NAME}.part`), BYTES.subarray(70_000, 90_000));
    const server = await place(honest);
    await get(world([server]), PART);
    expect(server.requests[0]?.range).toBe("bytes=90000-119999");
    expect(isRight()).toBe(true);
  });

  it("is cut out of the whole where there are no ranges", async () => {
    const server = await place((_request, response) => response.end(BYTES));
    await get(world([server]), PART);
    expect(isRight()).toBe(true);
  });

  it("is refused when another part or more of it comes", async () => {
    const server = await place((_request, response) => {
      response.setHeader("content-range", `bytes 0-49999/${BYTES.length}`);
      response.writeHead(206).end(BYTES.subarray(0, 50_000));
    });
    expect(await codeOf(get(world([server]), PART))).toBe("UPB-FETCH-TRUNCATED");
    const endless = await place((_request, response) => {
      response.setHeader("content-range", `bytes 70000-${BYTES.length - 1}/${BYTES.length}`);
      response.writeHead(206).end(BYTES.subarray(70_000));
    });
    expect(await codeOf(get(world([endless]), PART))).toBe("UPB-FETCH-TOO-LONG");
    expect(readdirSync(folder)).not.toContain(NAME);
  });
});
