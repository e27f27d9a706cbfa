/**
 * The built pages of one application of `web/`, read once: a handful of files of a few megabytes,
 * whose names carry the hash of their content (all but index.html).
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UpbeatError } from "../../protocol/errors/error.ts";

export interface PageAnswer {
  readonly status: 200 | 404;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

export interface Pages {
  /**
   * What a GET is answered: the file of that path, e.g. `/assets/index-Ab12.js`, or else the one
   * document, whatever page of ours the address names. `nonce`: that of the answer's headers.
   */
  answer(path: string, nonce: string): PageAnswer;
}

const FOR_EVER = "public, max-age=31536000, immutable";
const HTML = "text/html; charset=utf-8";
const TYPES: Readonly<Record<string, string>> = {
  ".html": HTML,
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Where `index.html` keeps a place for the nonce of each answer. */
const NONCE_PLACE = "__NONCE__";

/** Errors: UPB-PAGE-NOT-BUILT. */
export function readPages(application: "settings" | "admin"): Pages {
  const folder = builtFolder(application);
  const files = new Map<string, { type: string; body: Buffer }>();
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
    answer(path, nonce) {
      const file = path === "/index.html" ? undefined : files.get(path);
      if (file !== undefined) {
        // Its name carries its hash.
        const headers = { "cache-control": FOR_EVER, "content-type": file.type };
        return { status: 200, headers, body: file.body };
      }
      if (path.startsWith("/assets/")) return { status: 404, headers: {}, body: "" };
      const headers = { "content-type": HTML };
      return { status: 200, headers, body: index.replaceAll(NONCE_PLACE, nonce) };
    },
  };
}

/** `dist/web/…`, seen from the source in a checkout and from `dist/content/browser` built. */
function builtFolder(application: string): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, extname(here) === ".ts" ? "../../../dist/web" : "../../../web", application);
}
