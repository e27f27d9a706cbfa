/**
 * Starts the signer, starts it again when it ends, and asks it over its socket.
 *
 * Errors: UPB-SERVER-SIGNER-AWAY, and the signer's own refusals.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { SignerKeys } from "../protocol/adminApi.ts";
import { ErrorReport, errorFromReport, UpbeatError } from "../protocol/errors/error.ts";
import { signerSocket } from "./dataFolder.ts";
import { SnapshotMeta } from "./signer/rules.ts";

export interface SignedBytes {
  readonly snapshotVersion: number;
  readonly snapshot: Uint8Array;
  readonly timestamp: Uint8Array;
}

export interface SignerProcess {
  keys(): Promise<SignerKeys>;
  /** What the newest snapshot names, whether or not it was ever shown. */
  signed(): Promise<SnapshotMeta>;
  sign(meta: SnapshotMeta): Promise<SignedBytes>;
  renew(): Promise<SignedBytes>;
  stop(): Promise<void>;
}

const MAIN = join(import.meta.dirname, `signer/main${import.meta.filename.slice(-3)}`);
const TIMEOUT_MS = 10_000;
const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 30_000;
/** Once it has lived this long, the next failure is a new one. */
const HEALTHY_MS = 60_000;

export async function startSigner(folder: string): Promise<SignerProcess> {
  const socket = signerSocket(folder);
  let child: ChildProcess | undefined;
  let isStopping = false;
  let waitMs = FIRST_RESTART_MS;
  let timer: NodeJS.Timeout | undefined;

  const launch = (): Promise<void> =>
    new Promise((resolve) => {
      const startedMs = performance.now();
      // No environment: nothing that the server was given reaches the process with the keys.
      const started = spawn(process.execPath, [MAIN, folder], {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
        env: {},
      });
      child = started;
      started.once("message", () => resolve());
      started.once("error", () => resolve());
      started.once("exit", () => {
        resolve();
        child = undefined;
        if (isStopping) return;
        if (performance.now() - startedMs > HEALTHY_MS) waitMs = FIRST_RESTART_MS;
        timer = setTimeout(() => void launch(), waitMs);
        waitMs = Math.min(waitMs * 2, LAST_RESTART_MS);
      });
    });
  await launch();

  return {
    keys: () => ask(socket, "GET", "/keys", undefined, SignerKeys),
    signed: async () => (await ask(socket, "GET", "/signed", undefined, Signed)).meta,
    sign: (meta) => ask(socket, "POST", "/sign", { meta }, SignedFiles),
    renew: () => ask(socket, "POST", "/renew", {}, SignedFiles),
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      const last = child;
      if (last === undefined) return;
      const ended = once(last, "exit");
      last.kill("SIGTERM");
      await ended;
    },
  };
}

const Signed = z.object({ meta: SnapshotMeta });
const SignedFiles = z
  .object({ snapshotVersion: z.int(), snapshot: z.base64(), timestamp: z.base64() })
  .transform(({ snapshotVersion, snapshot, timestamp }) => ({
    snapshotVersion,
    snapshot: Buffer.from(snapshot, "base64"),
    timestamp: Buffer.from(timestamp, "base64"),
  }));

async function ask<Answer>(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  const { status, text } = await exchange(socketPath, method, path, body);
  const json: unknown = JSON.parse(text);
  if (status === 200) return schema.parse(json);
  throw errorFromReport(ErrorReport.parse(json));
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new UpbeatError("UPB-SERVER-SIGNER-AWAY", { object: socketPath, cause }));
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const call = request(
      { socketPath, method, path, headers, signal: AbortSignal.timeout(TIMEOUT_MS) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    call.on("error", fail);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
