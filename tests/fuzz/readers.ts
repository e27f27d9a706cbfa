/** Two readers of one repository: this program and tuf-js, asked the same questions. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Updater } from "tuf-js";
// tuf-js takes "there is no such file" only in this form and doesn't export it.
import { DownloadHTTPError, DownloadLengthMismatchError } from "tuf-js/dist/error.js";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { refresh } from "../../protocol/trust/client.ts";
import { memoryStore } from "../support/memoryStore.ts";

/** Per question "accept" with what was found, or "refuse". */
export interface Answers {
  readonly refresh: string;
  readonly targets: readonly string[];
  /** Why, for whoever looks into a disagreement. */
  readonly why: string;
}

export interface Reader {
  ask(paths: readonly string[]): Promise<Answers>;
  close(): void;
}

type Files = ReadonlyMap<string, Uint8Array>;

export function ownReader(root: Uint8Array, files: Files): Reader {
  const store = memoryStore();
  const source = { fetch: async (name: string) => files.get(`metadata/${name}`) };
  return {
    close: () => {},
    ask: (paths) =>
      answers(async () => {
        const set = await refresh({ trustedRoot: root, store, source, now: Date.now });
        return async (path) => (await set.findFile(path))?.file.hashes.sha256;
      }, paths),
  };
}

const BASE = "http://repository.invalid/metadata";

export function tufJsReader(root: Uint8Array, files: Files): Reader {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-tufjs-"));
  writeFileSync(join(folder, "root.json"), root);
  const bytesOf = (url: string, maxLength: number): Buffer => {
    const bytes = files.get(`metadata/${url.slice(BASE.length + 1)}`);
    if (bytes === undefined) throw new DownloadHTTPError("not found", 404);
    if (bytes.length > maxLength) throw new DownloadLengthMismatchError("too long");
    return Buffer.from(bytes);
  };
  const fetcher = {
    downloadBytes: async (url: string, maxLength: number) => bytesOf(url, maxLength),
    downloadFile: async <T>(url: string, maxLength: number, use: (file: string) => Promise<T>) => {
      const file = join(folder, "download");
      writeFileSync(file, bytesOf(url, maxLength));
      return use(file);
    },
  };
  return {
    close: () => rmSync(folder, { recursive: true, force: true }),
    ask: (paths) =>
      answers(async () => {
        const updater = new Updater({ metadataDir: folder, metadataBaseUrl: BASE, fetcher });
        await updater.refresh();
        return async (path) => (await updater.getTargetInfo(path))?.hashes["sha256"];
      }, paths),
  };
}

async function answers(
  open: () => Promise<(path: string) => Promise<string | undefined>>,
  paths: readonly string[],
): Promise<Answers> {
  let why = "";
  const refusal = (error: unknown) => {
    why += ` ${describe(error)}`;
    return "refuse";
  };
  const find = await open().catch((error: unknown) => {
    refusal(error);
    return undefined;
  });
  if (find === undefined) return { refresh: "refuse", targets: paths.map(() => "refuse"), why };
  const targets: string[] = [];
  for (const path of paths) {
    targets.push(await find(path).then((hash) => hash ?? "nobody vouches", refusal));
  }
  return { refresh: "accept", targets, why };
}

const describe = (error: unknown): string =>
  error instanceof UpbeatError
    ? `${error.code} ${error.detail ?? ""}`
    : `${error instanceof Error ? `${error.name}: ${error.message}` : error}`;
