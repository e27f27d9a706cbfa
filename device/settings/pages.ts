/**
 * The built pages of `web/settings`, read once: a handful of files, under one megabyte, whose names
 * carry the hash of their content (all but index.html).
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UpbeatError } from "../../protocol/errors/error.ts";

export interface Page {
  readonly type: string;
  readonly body: Buffer;
}

export interface Pages {
  /** By its path in the address, e.g. `/assets/index-Ab12.js`. */
  file(path: string): Page | undefined;
  /** The one document, whatever page of ours the address names. */
  document(nonce: string): string;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Where `index.html` keeps a place for the nonce of each answer. */
const NONCE_PLACE = "__NONCE__";

/** Errors: UPB-PAGE-NOT-BUILT. */
export function readPages(folder = builtPages()): Pages {
  const files = new Map<string, Page>();
  try {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const path = join(folder, name);
      files.set(`/${relative(folder, path)}`, { type, body: readFileSync(path) });
    }
  } catch (cause) {
    throw new UpbeatError("UPB-PAGE-NOT-BUILT", { object: folder, cause });
  }
  const index = files.get("/index.html")?.body.toString("utf8");
  if (index === undefined) throw new UpbeatError("UPB-PAGE-NOT-BUILT", { object: folder });
  return {
    file: (path) => (path === "/index.html" ? undefined : files.get(path)),
    document: (nonce) => index.replaceAll(NONCE_PLACE, nonce),
  };
}

/** `dist/web/settings`, seen from the source in a checkout and from `dist/device/settings` built. */
function builtPages(): string {
  const here = fileURLToPath(import.meta.url);
  const up = extname(here) === ".ts" ? "../../../dist/web/settings" : "../../../web/settings";
  return join(here, up);
}
