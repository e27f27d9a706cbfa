/**
 * Serves one folder with what zsync needs and Upbeat does not: several ranges in one answer
 * (RFC 9110, 14.6). Counts what passes, both directions, headers included.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import type { Traffic } from "../check/countingProxy.ts";

const BOUNDARY = "part-of-many";

export async function rangeServer(folder: string): Promise<{
  url: string;
  traffic(): Traffic;
  close(): void;
}> {
  let requests = 0;
  let bytes = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const file = join(folder, basename(request.url ?? ""));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const { size } = statSync(file);
    const ranges = [...(request.headers.range ?? "").matchAll(/(\d+)-(\d+)/g)].map(
      ([, first, last]) => ({ start: Number(first), end: Math.min(Number(last), size - 1) }),
    );
    const [only] = ranges;
    if (only === undefined) {
      response.end(part(file, 0, size));
    } else if (ranges.length === 1) {
      const range = `bytes ${only.start}-${only.end}/${size}`;
      response.writeHead(206, { "content-range": range });
      response.end(part(file, only.start, only.end - only.start + 1));
    } else {
      const type = `multipart/byteranges; boundary=${BOUNDARY}`;
      const parts = ranges.flatMap(({ start, end }) => [
        Buffer.from(`\r\n--${BOUNDARY}\r\ncontent-range: bytes ${start}-${end}/${size}\r\n\r\n`),
        part(file, start, end - start + 1),
      ]);
      const body = Buffer.concat([...parts, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
      response.writeHead(206, { "content-type": type, "content-length": body.length }).end(body);
    }
  });
  server.on("connection", (socket) =>
    socket.once("close", () => {
      bytes += socket.bytesRead + socket.bytesWritten;
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on TCP, so the address is one.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    traffic: () => ({ bytes, requests }),
    close: () => server.close(),
  };
}

function part(file: string, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const handle = openSync(file, "r");
  try {
    readSync(handle, bytes, 0, length, start);
    return bytes;
  } finally {
    closeSync(handle);
  }
}
