/**
 * Starts and talks to the downloader. Nothing that it says is believed: its files are opened without
 * following links, within the bound that was asked for, and whoever uses the bytes verifies them.
 *
 * Errors: those that it reports, UPB-DOWNLOAD-NO-DOWNLOADER when it dies.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TargetReader } from "../../content/releases.ts";
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import type { MetadataSource } from "../../protocol/trust/ports.ts";
import {
  DownloadReply,
  type DownloadRequest,
  fileOf,
  MAX_LINE_BYTES,
} from "./downloader/messages.ts";

export interface Downloader {
  readonly metadata: MetadataSource;
  readonly target: TargetReader;
  /** The file that holds the object afterwards; its content is unverified. */
  content(
    object: { sha256: Sha256; sizeBytes: number },
    onProgress: (bytes: number) => void,
  ): Promise<string>;
  stop(): void;
}

const MAIN = join(import.meta.dirname, `downloader/main${import.meta.filename.slice(-3)}`);
const SOURCES = join(import.meta.dirname, "../..");
/** An account that owns nothing else, made by the package; without it the service's own is used. */
const ACCOUNT = "upbeat-download";

type Pending = {
  request: Asked;
  resolve: (found: boolean) => void;
  reject: (error: unknown) => void;
  onProgress: (bytes: number) => void;
};
type Asked = DownloadRequest;

export function startDownloader(serverUrl: string, folder: string): Downloader {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const child = launch(serverUrl, folder);
  const pending = new Map<number, Pending>();
  let ended: UpbeatError | undefined;
  let nextId = 1;

  const failAll = (error: UpbeatError): void => {
    ended = error;
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  child.once("error", (cause) =>
    failAll(new UpbeatError("UPB-DOWNLOAD-NO-DOWNLOADER", { object: MAIN, cause })),
  );
  child.once("exit", (code, signal) =>
    failAll(
      new UpbeatError("UPB-DOWNLOAD-NO-DOWNLOADER", {
        object: MAIN,
        detail: `it ended with ${signal ?? code}`,
      }),
    ),
  );
  child.stdin?.on("error", () => {}); // its end is reported by `exit`
  if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", onLine);

  function onLine(line: string): void {
    const message = parseReply(line);
    if (message === undefined) {
      child.kill("SIGKILL");
      return;
    }
    const call = pending.get(message.id);
    if (call === undefined) return;
    if (message.kind === "progress") {
      call.onProgress(message.bytes);
      return;
    }
    pending.delete(message.id);
    if (message.kind === "failed") call.reject(errorFromReport(message.error));
    else call.resolve(message.kind === "done");
  }

  function ask(request: Asked, onProgress: (bytes: number) => void = () => {}): Promise<boolean> {
    if (ended !== undefined) return Promise.reject(ended);
    return new Promise((resolve, reject) => {
      pending.set(request.id, { request, resolve, reject, onProgress });
      child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  async function bytesOf(request: Asked & { maxBytes: number }): Promise<Uint8Array | undefined> {
    if (!(await ask(request))) return undefined;
    return takeFile(join(folder, fileOf(request)), request.maxBytes);
  }

  return {
    metadata: {
      fetch: (name, maxBytes) => bytesOf({ id: nextId++, kind: "metadata", name, maxBytes }),
    },
    target: async (path, sha256, maxBytes) =>
      (await bytesOf({ id: nextId++, kind: "target", path, sha256: sha256 as Sha256, maxBytes })) ??
      new Uint8Array(),
    async content(object, onProgress) {
      const request = {
        id: nextId++,
        kind: "content",
        sha256: object.sha256,
        sizeBytes: object.sizeBytes,
      } as const;
      await ask(request, onProgress);
      return join(folder, fileOf(request));
    },
    stop() {
      child.stdin?.end();
      child.kill("SIGTERM");
    },
  };
}

function launch(serverUrl: string, folder: string): ChildProcess {
  const account = process.getuid?.() === 0 ? accountIds() : undefined;
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
  // Node's permission model is a seat belt, not a sandbox: it follows links. The account is the wall.
  const belt = [
    "--permission",
    "--allow-net",
    `--allow-fs-read=${SOURCES}/*`,
    `--allow-fs-read=${folder}/*`,
    `--allow-fs-write=${folder}/*`,
  ];
  return spawn(process.execPath, [...belt, MAIN, serverUrl, folder], {
    cwd: folder,
    env: proxyEnvironment(),
    stdio: ["pipe", "pipe", "inherit"],
    ...(account ?? {}),
  });
}

/** Only what concerns the network: no secret of the service's environment. */
const proxyEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    [
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "NO_PROXY",
      "http_proxy",
      "https_proxy",
      "no_proxy",
      "NODE_EXTRA_CA_CERTS",
      "SSL_CERT_FILE",
    ].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );

function accountIds(): { uid: number; gid: number } | undefined {
  try {
    const [, , uid, gid] = execFileSync("/usr/bin/getent", ["passwd", ACCOUNT], {
      encoding: "utf8",
    }).split(":");
    return { uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined; // there is no such account
  }
}

function parseReply(line: string): DownloadReply | undefined {
  if (line.length > MAX_LINE_BYTES) return undefined;
  try {
    return DownloadReply.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function takeFile(path: string, maxBytes: number): Uint8Array {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const about = fstatSync(handle);
    if (!about.isFile() || about.size > maxBytes) {
      throw new UpbeatError("UPB-VERIFY-CONTENT", {
        object: path,
        detail: `not a file of at most ${maxBytes} bytes`,
      });
    }
    return readFileSync(handle);
  } finally {
    closeSync(handle);
    rmSync(path, { force: true });
  }
}
