/**
 * The signed repository as plain files. Only names of the repository's own layout are looked for, so
 * that no path can lead out of it; what else is there is not served.
 */

import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { partOf } from "./range.ts";

const FRESH = "no-store";
/** Public as everything is that is asked for without a name and password (RFC 9111, 3.5). */
const FOR_EVER = "max-age=31536000, immutable";

const NAME = "[A-Za-z0-9][A-Za-z0-9.+~_-]{0,199}";
const VERSIONED = new RegExp(`^metadata/\\d{1,15}\\.${NAME}\\.json$`);
const TIMESTAMP = "metadata/timestamp.json";
const BUNDLE = /^metadata\/after-\d{1,15}\.bundle$/;
const HASHED =
  /^targets\/[a-z][a-z0-9-]{0,30}\/(?:-|[a-z0-9][a-z0-9._-]{0,62})\/[0-9a-f]{64}\.[A-Za-z0-9][A-Za-z0-9.+~_-]{0,80}$/;
const CONTENT = /^content\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/;

export function staticFiles(app: FastifyInstance, repo: string): void {
  for (const url of ["/metadata/*", "/targets/*", "/content/*"])
    app.route({
      method: ["GET", "HEAD"],
      url,
      exposeHeadRoute: false,
      handler: (request, reply) => serve(repo, request, reply),
    });
}

async function serve(
  repo: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = pathOf(request.raw.url ?? "");
  const file = path === undefined ? undefined : await openFile(join(repo, path));
  if (path === undefined || file === undefined) {
    return reply.status(404).header("cache-control", FRESH).send();
  }
  const { handle, about } = file;
  try {
    const etag = await etagOf(path, about, handle);
    reply.header("etag", etag);
    const changes = path === TIMESTAMP || BUNDLE.test(path);
    reply.header("cache-control", changes ? FRESH : FOR_EVER);
    if (request.headers["if-none-match"]?.split(/\s*,\s*/).includes(etag)) {
      await handle.close();
      return reply.status(304).send();
    }
    if (path.startsWith("content/")) reply.header("accept-ranges", "bytes");
    const isJson = path.endsWith(".json");
    reply.type(isJson ? "application/json" : "application/octet-stream");
    return await sendPart(file, etag, request, reply);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

async function sendPart(
  { handle, about }: { handle: FileHandle; about: Stats },
  etag: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { range, "if-range": ifRange } = request.headers;
  const isSame = ifRange === undefined || ifRange === etag;
  const part = partOf(isSame ? range : undefined, about.size);
  if (part.is === "unsatisfiable") {
    await handle.close();
    return reply.status(416).header("content-range", `bytes */${about.size}`).send();
  }
  const { start, end } = part.is === "part" ? part : { start: 0, end: about.size - 1 };
  if (part.is === "part") {
    reply.status(206).header("content-range", `bytes ${start}-${end}/${about.size}`);
  }
  reply.header("content-length", end - start + 1);
  if (request.method === "HEAD" || about.size === 0) {
    await handle.close();
    return reply.send();
  }
  return reply.send(handle.createReadStream({ start, end }));
}

/** Below the repository; undefined for anything that is not of its layout. */
function pathOf(url: string): string | undefined {
  try {
    const path = decodeURIComponent(url.slice(1).replace(/\?.*$/s, ""));
    const isKnown =
      path === TIMESTAMP ||
      [VERSIONED, BUNDLE, HASHED, CONTENT].some((pattern) => pattern.test(path));
    return isKnown ? path : undefined;
  } catch {
    // Not percent-encoded UTF-8: no name of ours.
    return undefined;
  }
}

async function openFile(path: string): Promise<{ handle: FileHandle; about: Stats } | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const about = await handle.stat();
  if (about.isFile()) return { handle, about };
  await handle.close();
  return undefined;
}

/** By content where it is small and changes or is in the name; by time and size otherwise. */
async function etagOf(path: string, about: Stats, handle: FileHandle): Promise<string> {
  const hash = /[0-9a-f]{64}/.exec(path)?.[0];
  // 96 bits of it: it stands in every answer.
  if (hash !== undefined) return `"${Buffer.from(hash, "hex").toString("base64url", 0, 12)}"`;
  if (path !== TIMESTAMP) return `"${about.mtimeMs.toString(36)}-${about.size.toString(36)}"`;
  const bytes = Buffer.alloc(about.size);
  await handle.read(bytes, 0, about.size, 0);
  return `"${createHash("sha256").update(bytes).digest().toString("base64url", 0, 12)}"`;
}
