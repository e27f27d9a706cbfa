/** Passes TCP on and counts: every byte that client and server exchange, headers included. */

import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";

export interface Traffic {
  readonly bytes: number;
  readonly requests: number;
}

export async function countingProxy(port: number): Promise<{
  url: string;
  /** Since the last time it was asked. */
  take(): Traffic;
  close(): void;
}> {
  let bytes = 0;
  let requests = 0;
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    client.on("data", (data) => {
      bytes += data.length;
      // Small GETs without bodies: each is one piece, and the line can't be anywhere else.
      requests += data.toString("latin1").match(/^GET .* HTTP\/1\.1\r$/gm)?.length ?? 0;
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      bytes += data.length;
      client.write(data);
    });
    client.on("close", () => upstream.destroy()).on("error", () => upstream.destroy());
    upstream.on("close", () => client.destroy()).on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on TCP, so the address is one.
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/`,
    take: () => {
      const taken = { bytes, requests };
      bytes = 0;
      requests = 0;
      return taken;
    },
    close: () => server.close(),
  };
}
