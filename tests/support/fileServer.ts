/** Serves a map of files over real HTTP on loopback, with ETags and with faults on demand. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** By path below the server: answers instead of it. */
export type Faults = Map<string, (request: IncomingMessage, response: ServerResponse) => void>;

export async function serveFiles(files: ReadonlyMap<string, Uint8Array>): Promise<{
  url: URL;
  faults: Faults;
  requests: string[];
  close(): Promise<void>;
}> {
  const faults: Faults = new Map();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").slice(1);
    requests.push(path);
    const fault = faults.get(path);
    if (fault !== undefined) fault(request, response);
    else answer(request, response, files.get(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on TCP, so the address is one.
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    faults,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array | undefined,
): void {
  if (bytes === undefined) {
    response.writeHead(404, { "content-length": 0 }).end();
    return;
  }
  const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
  if (request.headers["if-none-match"] === etag) response.writeHead(304, { etag }).end();
  else response.writeHead(200, { etag, "content-length": bytes.length }).end(bytes);
}
