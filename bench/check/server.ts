/**
 * A process that serves a folder over HTTP with the headers of the update server: what a bucket or
 * a CDN would do. Run by `bench/check.ts`: `node server.ts FOLDER`, answers with its port.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const folder = process.argv[2] ?? "";
const FRESH = "no-store";
const FOR_EVER = "public, max-age=31536000, immutable";

const server = createServer((request, response) => {
  const path = join(folder, join("/", request.url ?? ""));
  if (!existsSync(path)) {
    response.writeHead(404, { "cache-control": FRESH, "content-length": 0 }).end();
    return;
  }
  const bytes = readFileSync(path);
  const etag = `"${createHash("sha256").update(bytes).digest("base64url")}"`;
  const headers = { etag, "cache-control": path.endsWith("/timestamp.json") ? FRESH : FOR_EVER };
  if (request.headers["if-none-match"] === etag) response.writeHead(304, headers).end();
  else {
    const type = { "content-type": "application/json", "content-length": bytes.length };
    response.writeHead(200, { ...headers, ...type }).end(bytes);
  }
});
server.listen(0, "127.0.0.1", () => {
  // Listening on TCP, so the address is one.
  process.send?.((server.address() as AddressInfo).port);
});
process.on("disconnect", () => process.exit(0));
