/**
 * What stands before the update server on the network of the laboratory: a real TLS terminator that
 * passes requests on, and does to them what networks do.
 */
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificates.ts";

/** Instead of passing a request on; true when it has answered. */
export type Interference = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface Front {
  readonly port: number;
  /** Where requests go; set before the first one, and to another server by a test. */
  upstream: string;
  interfere: Interference | undefined;
  /** Drops the Range header, as some proxies do. */
  stripRanges: boolean;
  show(certificate: Certificate, tls?: "old"): void;
  /** Nothing listens any more, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

export async function startFront(address: string, certificate: Certificate): Promise<Front> {
  let shown: Certificate = certificate;
  let old = false;
  let port = 0;
  let server: Server;
  const open = async () => {
    const limits = old
      ? ({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const)
      : {};
    server = createServer({ ...shown, ...limits }, (req, res) => handle(front, req, res));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, address, resolve);
    });
    port = (server.address() as AddressInfo).port; // it listens on TCP, so it is one
  };
  const shut = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  await open();
  const front: Front = {
    port,
    upstream: "",
    interfere: undefined,
    stripRanges: false,
    show(next, tls) {
      shown = next;
      old = tls === "old";
      server.setSecureContext({
        ...next,
        ...(old
          ? { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }
          : {}),
      });
      // What is open goes on as it was shaken hands on.
      server.closeAllConnections();
    },
    shut,
    open,
    close: shut,
  };
  return front;
}

function handle(front: Front, req: IncomingMessage, res: ServerResponse): void {
  if (front.interfere?.(req, res) === true) return;
  const { range, ...others } = req.headers;
  const headers = front.stripRanges || range === undefined ? others : { ...others, range };
  const onward = request(new URL(req.url ?? "/", front.upstream), {
    method: req.method ?? "GET",
    headers,
  });
  onward.on("error", () => res.destroy());
  onward.on("response", (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  req.pipe(onward);
}
