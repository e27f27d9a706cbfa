/** An HTTP proxy before a server that can hold requests back, or answer none, until it is told. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HoldingProxy {
  /** With a slash at its end. */
  readonly url: string;
  /** Requests whose path matches wait from now on. */
  hold(path: RegExp): void;
  /** How many wait. */
  held(): number;
  /** Requests whose path matches are refused from now on. */
  refuse(path: RegExp): void;
  /** Those that wait go on, and later ones neither wait nor are refused. */
  release(): void;
  /** Away: every connection is cut. */
  isDown: boolean;
  close(): Promise<void>;
}

export async function holdingProxy(target: string): Promise<HoldingProxy> {
  let wanted: RegExp | undefined;
  let refused: RegExp | undefined;
  let waiting: (() => void)[] = [];
  const pass = (incoming: IncomingMessage, answer: ServerResponse): void => {
    const onward = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers: incoming.headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    incoming.pipe(onward);
  };
  const server = createServer((incoming, answer) => {
    if (proxy.isDown) incoming.socket.destroy();
    else if (refused?.test(incoming.url ?? "")) answer.writeHead(403).end();
    else if (wanted?.test(incoming.url ?? "")) waiting.push(() => pass(incoming, answer));
    else pass(incoming, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on TCP, so the address is one.
  const { port } = server.address() as AddressInfo;
  const proxy: HoldingProxy = {
    url: `http://127.0.0.1:${port}/`,
    isDown: false,
    hold(path) {
      wanted = path;
    },
    refuse(path) {
      refused = path;
    },
    held: () => waiting.length,
    release() {
      wanted = undefined;
      refused = undefined;
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
