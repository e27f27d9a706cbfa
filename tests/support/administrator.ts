/**
 * The real update server as a process, and an administrator at it: the keys, the commands of
 * `upbeat` run in this process, every answer as the object that --json prints.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../cli/run.ts";
import { testWorld } from "./cliWorld.ts";
import { type ServerProcess, startServer } from "./serverProcess.ts";

export interface Administrator {
  readonly folder: string;
  server: ServerProcess;
  readonly token: string;
  /** The signing keys. */
  readonly keysFolder: string;
  /** For `upbeat` as a process. */
  env(): Record<string, string>;
  /** Ends with 0, or throws with what was printed. */
  upbeat(...args: string[]): Promise<Record<string, unknown>>;
  /** However it ends: the exit code, and the answer or the error. */
  attempt(...args: string[]): Promise<{ exitCode: number; answer: Record<string, unknown> }>;
  /** The answer of `upbeat publish`. */
  publish(product: string, version: string, ...options: string[]): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export async function administrator(): Promise<Administrator> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-administrator-"));
  const server = await startServer(join(folder, "data"));
  const token = server.adminToken ?? "";
  const env = () => ({
    UPBEAT_SERVER: admin.server.url,
    UPBEAT_TOKEN: token,
    XDG_CONFIG_HOME: join(folder, "config"),
    XDG_CACHE_HOME: join(folder, "cache"),
  });
  const attempt: Administrator["attempt"] = async (...args) => {
    const world = testWorld([...args, "--json"], {
      env: env(),
      cwd: folder,
      now: Date.now,
    });
    const exitCode = await run(world);
    const { out, err } = world.printed;
    return { exitCode, answer: JSON.parse(out === "" ? err : out) };
  };
  const admin: Administrator = {
    folder,
    server,
    token,
    keysFolder: join(folder, "config/upbeat/keys"),
    env,
    attempt,
    async upbeat(...args) {
      const { exitCode, answer } = await attempt(...args);
      if (exitCode === 0) return answer;
      throw new Error(`upbeat ${args.join(" ")} ended with ${exitCode}: ${JSON.stringify(answer)}`);
    },
    async publish(product, version, ...options) {
      const build = join(folder, "builds", `${product}-${version}`);
      mkdirSync(build, { recursive: true });
      writeFileSync(join(build, "main.js"), `console.log("${product} ${version}")\n`);
      const names = ["--product", product, "--version", version];
      return await admin.upbeat("publish", build, ...names, ...options);
    },
    async close() {
      await admin.server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await admin.upbeat("keys", "init", "--no-passphrase");
  return admin;
}
