/** The real update server as a process, and a client that shows status and body. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Only at the very first start. */
  readonly adminToken: string | undefined;
  /** Process ids of its children: the signer. */
  children(): number[];
  /** How it ended. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; log: string }>;
}

const MAIN = join(import.meta.dirname, "../../server/main.ts");

/** Rejects with the log when the server ends before it listens. */
export function startServer(data: string, ...args: string[]): Promise<ServerProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    [MAIN, "--data", data, "--port", "0", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null) throw new Error("it cannot start");
  let log = "";
  let adminToken: string | undefined;
  stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = once(child, "close");
  return new Promise((resolve, reject) => {
    void ended.then(() => reject(new Error(log)));
    createInterface({ input: stdout }).on("line", (line) => {
      const said: { adminToken?: string; listening?: string } = JSON.parse(line);
      adminToken = said.adminToken ?? adminToken;
      if (said.listening === undefined) return;
      resolve({
        url: said.listening,
        pid,
        adminToken,
        children: () =>
          readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
            .split(" ")
            .filter((text) => text !== "")
            .map(Number),
        async stop(signal = "SIGTERM") {
          child.kill(signal);
          const [code] = await ended;
          return { code, log };
        },
      });
    });
  });
}

/** What a test asks a server over HTTP. `server` may be another one after a restart. */
export function callsOf(server: () => ServerProcess, token: () => string) {
  const admin = () => ({ authorization: `Bearer ${token()}` });
  return {
    admin,
    get: (path: string, headers: Record<string, string> = {}, signal: AbortSignal | null = null) =>
      fetch(`${server().url}${path}`, { headers, signal }),
    post: (path: string, body: unknown, headers: Record<string, string> = admin()) =>
      fetch(`${server().url}${path}`, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    json: async (answer: Response | Promise<Response>) =>
      z.record(z.string(), z.unknown()).parse(await (await answer).json()),
  };
}
