/** A forward proxy as companies have it: CONNECT and absolute addresses, with a login if it wants one. */
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";

export interface ForwardProxy {
  readonly url: string;
  wantsLogin: boolean;
  /** How often it passed something on. */
  passed: number;
  /** Connections that clients keep open. */
  open(): number;
  close(): Promise<void>;
}

/** `resolve`: the proxy knows names that the device need not know. */
export async function startForwardProxy(
  address: string,
  resolve: (host: string) => string,
): Promise<ForwardProxy> {
  const server = createServer((req, res) => {
    if (proxy.wantsLogin) {
      res.writeHead(407, { "proxy-authenticate": 'Basic realm="lab"' }).end();
      return;
    }
    proxy.passed += 1;
    const url = new URL(req.url ?? "/");
    const onward = request(
      { host: resolve(url.hostname), port: url.port, path: url.pathname, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      },
    );
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  });
  server.on("connect", (req, client) => {
    client.on("error", () => client.destroy());
    if (proxy.wantsLogin) {
      client.end(
        'HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm="lab"\r\nContent-Length: 0\r\n\r\n',
      );
      return;
    }
    proxy.passed += 1;
    const [host = "", port = "443"] = (req.url ?? "").split(":");
    const onward = connect(Number(port), resolve(host), () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on("error", () => client.destroy());
    // Node's server keeps connections half open; a proxy ends both sides with either.
    client.on("end", () => onward.destroy());
    client.on("close", () => onward.destroy());
    onward.on("close", () => client.destroy());
  });
  await new Promise<void>((done) => server.listen(0, address, done));
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    socket.on("close", () => {
      connections -= 1;
    });
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP, so it is one
  const proxy: ForwardProxy = {
    url: `http://${address}:${port}`,
    wantsLogin: false,
    passed: 0,
    open: () => connections,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
  return proxy;
}
