import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serveFiles } from "../tests/support/fileServer.ts";
import { checkForChange, FULL_REFRESH_EVERY_MS, type LastRefresh } from "./changeCheck.ts";
import { type HttpMetadataSource, httpMetadataSource } from "./metadataSource.ts";

describe("a check for change", () => {
  const NOW_MS = 1_780_000_000_000;
  const files = new Map<string, Uint8Array>();
  let server: Awaited<ReturnType<typeof serveFiles>>;
  let source: HttpMetadataSource;
  let last: LastRefresh;

  beforeEach(async () => {
    files.set("metadata/timestamp.json", Buffer.from("one"));
    server = await serveFiles(files);
    source = httpMetadataSource(server.url);
    await source.fetch("timestamp.json", 100);
    const etag = source.etagOf("timestamp.json") ?? "";
    server.requests.length = 0;
    last = { etag, refreshedMs: NOW_MS, timestampExpiresMs: NOW_MS + 2 * FULL_REFRESH_EVERY_MS };
  });
  afterEach(() => server.close());

  const check = (nowMs: number, after: LastRefresh | undefined = last) =>
    checkForChange({ source, last: after, nowMs });

  it("asks one conditional question while nothing changed", async () => {
    expect(await check(NOW_MS + 1)).toBe("unchanged");
    expect(server.requests).toEqual(["metadata/timestamp.json"]);
  });

  it("sees a new timestamp, and one that is gone", async () => {
    files.set("metadata/timestamp.json", Buffer.from("two"));
    expect(await check(NOW_MS + 1)).toBe("refresh-needed");
    server.requests.length = 0;
    expect(await source.fetch("timestamp.json", 100)).toEqual(Buffer.from("two"));
    expect(server.requests).toEqual([]);
    files.delete("metadata/timestamp.json");
    expect(await check(NOW_MS + 1)).toBe("refresh-needed");
  });

  it("asks nothing when a full refresh is due anyway", async () => {
    const due = { ...last, timestampExpiresMs: NOW_MS + 10 };
    expect(await check(NOW_MS + 10, due)).toBe("refresh-needed");
    expect(await check(NOW_MS + FULL_REFRESH_EVERY_MS)).toBe("refresh-needed");
    expect(await check(NOW_MS - 1)).toBe("refresh-needed");
    const never = checkForChange({ source, last: undefined, nowMs: NOW_MS });
    expect(await never).toBe("refresh-needed");
    expect(server.requests).toEqual([]);
  });

  it("says why when the server can't be asked", async () => {
    await server.close();
    await expect(check(NOW_MS + 1)).rejects.toMatchObject({ code: "UPB-FETCH-UNREACHABLE" });
  });
});
