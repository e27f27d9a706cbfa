/**
 * Starts and talks to the downloader. Nothing that it says is believed: its files are opened without
 * following links, within the bound that was asked for, and whoever uses the bytes verifies them.
 *
 * Errors: those that it reports, UPB-DOWNLOAD-NO-DOWNLOADER when it dies or falls silent,
 * UPB-VERIFY-CONTENT.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TargetReader } from "../../content/releases.ts";
import { errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import type { TransferSettings } from "../../protocol/transfer.ts";
import type { MetadataSource } from "../../protocol/trust/ports.ts";
import { proxyEnvironment } from "../proxy.ts";
import { onLines } from "./downloader/lines.ts";
import {
  type DownloaderSettings,
  DownloadReply,
  type DownloadRequest,
} from "./downloader/messages.ts";
import { type Content, fileOf, MAX_LINE_LENGTH } from "./downloader/places.ts";
import { downloaderAccount } from "./downloaderAccount.ts";
import { takeUntrusted } from "./untrustedFile.ts";

export interface Downloader {
  readonly metadata: MetadataSource;
  readonly target: TargetReader;
  /**
   * The file that holds the object, or the part of it, afterwards; its content is unverified.
   * `skip`: how often what came was wrong, so that another source is asked.
   */
  content(object: Content, onProgress: (bytes: number) => void, skip?: number): Promise<string>;
  /** Ends its process, and the memory that it takes, until something is asked for again. */
  rest(): void;
  stop(): void;
}

const MAIN = join(import.meta.dirname, `downloader/main${import.meta.filename.slice(-3)}`);
const SOURCES = join(import.meta.dirname, "../..");
/** Longer than its own longest wait (a minute) and time-outs together. */
const SILENCE_MS = 3 * 60_000;

interface Pending {
  readonly resolve: (found: boolean) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: (bytes: number) => void;
}

/** Its process starts when something is asked for. */
export function startDownloader(settings: DownloaderSettings): Downloader {
  const { folder } = settings;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pending = new Map<number, Pending>();
  let child: ChildProcess | undefined;
  let ended: UpbeatError | undefined;
  let nextId = 1;

  const end = (detail: string, cause?: unknown): void => {
    ended ??= new UpbeatError("UPB-DOWNLOAD-NO-DOWNLOADER", { object: MAIN, detail, cause });
    child?.kill("SIGKILL");
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
  };
  const silence = setTimeout(() => {
    if (pending.size > 0) end(`silent for ${SILENCE_MS} ms`);
  }, SILENCE_MS);

  function start(): ChildProcess {
    const started = launch(settings);
    const isCurrent = () => child === started;
    started.once("error", (cause) => isCurrent() && end("it could not be started", cause));
    started.once("exit", (code, signal) => isCurrent() && end(`it ended with ${signal ?? code}`));
    started.stdin?.on("error", () => {}); // its end is reported by `exit`
    if (started.stdout !== null)
      onLines(started.stdout, MAX_LINE_LENGTH, onLine, () => end("a line that is too long"));
    return started;
  }

  function rest(): void {
    const resting = child;
    if (pending.size > 0) return;
    child = undefined;
    resting?.stdin?.end();
    resting?.kill("SIGTERM");
  }

  function onLine(line: string): void {
    const message = parseReply(line);
    if (message === undefined) {
      end("a line that cannot be read");
      return;
    }
    silence.refresh();
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

  function ask(request: DownloadRequest, onProgress = (_bytes: number) => {}): Promise<boolean> {
    if (ended !== undefined) return Promise.reject(ended);
    silence.refresh();
    return new Promise((resolve, reject) => {
      pending.set(request.id, { resolve, reject, onProgress });
      child ??= start();
      child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  async function bytesOf(
    request: DownloadRequest & { maxBytes: number },
  ): Promise<Uint8Array | undefined> {
    if (!(await ask(request))) return undefined;
    return takeUntrusted(join(folder, fileOf(request)), request.maxBytes);
  }

  return {
    metadata: {
      fetch: (name, maxBytes) => bytesOf({ id: nextId++, kind: "metadata", name, maxBytes }),
    },
    target: async (path, hash, maxBytes) => {
      const sha256 = Sha256.parse(hash);
      const bytes = await bytesOf({ id: nextId++, kind: "target", path, sha256, maxBytes });
      return bytes ?? new Uint8Array();
    },
    async content({ sha256, sizeBytes, offset }, onProgress, skip = 0) {
      const about = { sha256, sizeBytes, skip, ...(offset === undefined ? {} : { offset }) };
      const request = { id: nextId++, kind: "content", ...about } as const;
      // Only ever forwards, and never beyond the end: it is shown to people.
      let had = 0;
      await ask(request, (bytes) => {
        had = Math.max(had, Math.min(bytes, sizeBytes));
        onProgress(had);
      });
      return join(folder, fileOf(request));
    },
    rest,
    stop() {
      clearTimeout(silence);
      if (child === undefined) end("it was stopped");
      child?.stdin?.end();
      child?.kill("SIGTERM");
    },
  };
}

function launch(settings: DownloaderSettings): ChildProcess {
  const { folder } = settings;
  const account = downloaderAccount();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
  return spawn(process.execPath, [...seatBelt(folder), MAIN, JSON.stringify(settings)], {
    cwd: folder,
    env: networkEnvironment(settings.transfer),
    stdio: ["pipe", "pipe", "inherit"],
    ...(account ?? {}),
  });
}

/** Node's permission model is a seat belt, not a sandbox: it follows links. The account is the wall. */
export const seatBelt = (folder: string): string[] => [
  "--permission",
  // It would say at every start that the next flag may still change.
  "--disable-warning=ExperimentalWarning",
  "--allow-net",
  `--allow-fs-read=${SOURCES}/*`,
  `--allow-fs-read=${packagesFolder()}/*`,
  `--allow-fs-read=${folder}/*`,
  `--allow-fs-write=${folder}/*`,
];

/** Where npm put our dependencies: inside our own folder, or above it. */
function packagesFolder(): string {
  const zod = realpathSync(fileURLToPath(import.meta.resolve("zod")));
  return zod.slice(0, zod.lastIndexOf("/node_modules/") + "/node_modules".length);
}

/** Only what concerns the network: no secret of the service's environment. */
function networkEnvironment(transfer: TransferSettings): Record<string, string> {
  const certificates = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return { ...Object.fromEntries(certificates), ...proxyEnvironment(transfer, process.env) };
}

function parseReply(line: string): DownloadReply | undefined {
  try {
    return DownloadReply.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
