import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveFiles } from "../tests/support/fileServer.ts";
import { boundedFetch, type FetchLimits } from "./boundedFetch.ts";
import { isTooSlow } from "./transferSpeed.ts";

type Fault = (request: IncomingMessage, response: ServerResponse) => void;

describe("a bounded fetch", () => {
  let server: Awaited<ReturnType<typeof serveFiles>>;
  let other: typeof server;
  beforeAll(async () => {
    server = await serveFiles(new Map([["file", Buffer.from("content")]]));
    other = await serveFiles(new Map([["file", Buffer.from("evil")]]));
  });
  afterAll(() => Promise.all([server.close(), other.close()]));

  const get = (path: string, limits: Partial<FetchLimits> = {}) =>
    boundedFetch(new URL(path, server.url), { maxBytes: 1_000, ...limits });
  const answer = (fault: Fault, graceMs = 100) => {
    server.faults.set("bad", fault);
    return get("bad", { idleTimeoutMs: 150, graceMs });
  };
  const refused = (code: string) => expect.objectContaining({ code });

  it("gives status, headers and bytes", async () => {
    const { status, headers, bytes } = await get("file");
    expect([status, headers.get("Content-Length"), `${bytes}`]).toEqual([200, "7", "content"]);
    expect(headers.get("missing")).toBeNull();
  });

  it("gives 304 and 404 as answers", async () => {
    const etag = (await get("file")).headers.get("etag") ?? "";
    expect((await get("file", { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await get("missing")).status).toBe(404);
  });

  it("says that nobody listens, and that a name leads nowhere", async () => {
    const gone = await serveFiles(new Map());
    await gone.close();
    await expect(boundedFetch(gone.url, { maxBytes: 1 })).rejects.toMatchObject({
      code: "UPB-FETCH-UNREACHABLE",
      nativeCode: "ECONNREFUSED",
    });
    for (const url of ["http://nowhere.invalid/", "ftp://127.0.0.1/"]) {
      const attempt = boundedFetch(new URL(url), { maxBytes: 1 });
      await expect(attempt).rejects.toThrow(refused("UPB-FETCH-UNREACHABLE"));
    }
  });

  it("gives up on a server that accepts and stays silent", async () => {
    await expect(answer(() => {})).rejects.toThrow(refused("UPB-FETCH-TIMED-OUT"));
  });

  it("gives up on a server that stops in the middle", async () => {
    const stop: Fault = (_request, response) => response.writeHead(200).write("some");
    await expect(answer(stop, 60_000)).rejects.toThrow(refused("UPB-FETCH-TIMED-OUT"));
  });

  it("gives up on a server that sends a byte at a time", async () => {
    const drip: Fault = (_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    };
    await expect(answer(drip)).rejects.toThrow(refused("UPB-FETCH-TOO-SLOW"));
  });

  it("notices that the connection broke, and that fewer bytes came than were promised", async () => {
    const broken: Fault = (_request, response) => {
      response.writeHead(200, { "content-length": 500 });
      response.write("half", () => response.destroy());
    };
    await expect(answer(broken)).rejects.toThrow(refused("UPB-FETCH-TRUNCATED"));
    const chunked: Fault = (_request, response) => {
      response.writeHead(200);
      response.write("half", () => response.destroy());
    };
    await expect(answer(chunked)).rejects.toThrow(refused("UPB-FETCH-TRUNCATED"));
  });

  it("takes exactly as many bytes as it may and not one more", async () => {
    expect((await get("file", { maxBytes: 7 })).bytes).toHaveLength(7);
    await expect(get("file", { maxBytes: 6 })).rejects.toThrow(refused("UPB-FETCH-TOO-LONG"));
  });

  it("does not decompress: a small bomb stays small", async () => {
    const bomb: Fault = (request, response) => {
      expect(request.headers["accept-encoding"]).toBe("identity");
      response.writeHead(200, { "content-encoding": "gzip" }).end("not really gzip");
    };
    expect(`${(await answer(bomb)).bytes}`).toBe("not really gzip");
  });

  it("tells a busy server, with when to come back, from one that refuses", async () => {
    const busy: Fault = (_request, response) =>
      response.writeHead(503, { "retry-after": "120" }).end("<html>".repeat(1_000));
    await expect(answer(busy)).rejects.toMatchObject({
      code: "UPB-FETCH-SERVER-BUSY",
      nativeCode: 503,
      detail: "status 503, Retry-After: 120",
    });
    const no: Fault = (_request, response) => response.writeHead(403).end();
    await expect(answer(no)).rejects.toThrow(refused("UPB-FETCH-REFUSED"));
  });

  it("follows redirects within the server only, and not for ever", async () => {
    const to =
      (location: string): Fault =>
      (_request, response) =>
        response.writeHead(302, { location }).end();
    expect(`${(await answer(to("/file"))).bytes}`).toBe("content");
    for (const location of [`${other.url}file`, "//example.invalid/", "http://[", "/bad"]) {
      await expect(answer(to(location))).rejects.toThrow(refused("UPB-FETCH-REDIRECT"));
    }
    expect(other.requests).toEqual([]);
    const nowhere: Fault = (_request, response) => response.writeHead(302).end();
    await expect(answer(nowhere)).rejects.toThrow(refused("UPB-FETCH-REDIRECT"));
  });

  it("calls garbage instead of HTTP, and endless headers, an unreachable server", async () => {
    for (const said of ["\0\0 no HTTP\r\n", `HTTP/1.1 200 OK\r\nx: ${"x".repeat(20_000)}`]) {
      const garbage = createServer((socket) => socket.on("error", () => {}).end(said));
      await new Promise<void>((resolve) => garbage.listen(0, "127.0.0.1", resolve));
      const { port } = garbage.address() as AddressInfo;
      const attempt = boundedFetch(new URL(`http://127.0.0.1:${port}/`), { maxBytes: 1 });
      await expect(attempt).rejects.toThrow(refused("UPB-FETCH-UNREACHABLE"));
      garbage.close();
    }
  });

  it("stops when it is told to", async () => {
    server.faults.set("bad", () => {});
    const signal = AbortSignal.timeout(20);
    await expect(get("bad", { signal })).rejects.toThrow(refused("UPB-FETCH-UNREACHABLE"));
  });
});

describe("a transfer", () => {
  it("is too slow only after its grace, and only if bytes come at all", () => {
    const transfer = (bytes: number) => ({ startedMs: 1_000, bytes });
    expect(isTooSlow(transfer(1), 11_000, 1_000, 10_000)).toBe(false);
    expect(isTooSlow(transfer(1), 11_001, 1_000, 10_000)).toBe(true);
    expect(isTooSlow(transfer(0), 99_000, 1_000, 10_000)).toBe(false);
    expect(isTooSlow(transfer(20_000), 21_000, 1_000, 10_000)).toBe(false);
    expect(isTooSlow(transfer(19_999), 21_000, 1_000, 10_000)).toBe(true);
  });
});
