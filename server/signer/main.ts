/**
 * The signer process: the only one that can read the online keys. No network but its own Unix socket,
 * which belongs to the server's account alone.
 *
 *   node server/signer/main.ts FOLDER
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import Fastify from "fastify";
import { z } from "zod";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { signerSocket } from "../dataFolder.ts";
import { SnapshotMeta } from "./rules.ts";
import { openSigner, type SignedSet } from "./signer.ts";

/** A snapshot of 256 bins for 30 channels. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

async function main(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const signer = openSigner(folder, Date.now);
  const app = Fastify({ bodyLimit: MAX_BODY_BYTES, logger: false, forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) =>
    reply.status(error instanceof UpbeatError ? 409 : 500).send(reportError(error)),
  );
  app.get("/keys", () => signer.keys);
  app.get("/signed", () => ({ meta: signer.signed() }));
  app.post("/sign", (request) => encoded(signer.signSnapshot(parseMeta(request.body))));
  app.post("/renew", () => encoded(signer.renew()));
  const socket = signerSocket(folder);
  rmSync(socket, { force: true });
  process.umask(0o177);
  await app.listen({ path: socket });
  // The server is gone: nobody is left to sign for.
  process.on("disconnect", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
  process.send?.("ready");
}

function parseMeta(body: unknown): SnapshotMeta {
  const parsed = z.strictObject({ meta: SnapshotMeta }).safeParse(body);
  if (parsed.success) return parsed.data.meta;
  throw new UpbeatError("UPB-SIGNER-REFUSED", {
    object: "request",
    detail: z.prettifyError(parsed.error),
  });
}

const encoded = ({ snapshotVersion, snapshot, timestamp }: SignedSet) => ({
  snapshotVersion,
  snapshot: Buffer.from(snapshot).toString("base64"),
  timestamp: Buffer.from(timestamp).toString("base64"),
});

main(process.argv[2] ?? "signer").catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify(reportError(error))}\n`);
  process.exit(1);
});
