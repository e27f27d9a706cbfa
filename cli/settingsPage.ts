/** Gets a link from the Settings page's process of this account, and starts that when it is not there. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { callLocal } from "../device/localClient.ts";
import { devicePaths } from "../device/paths.ts";
import { settingsSocket } from "../device/settingsSocket.ts";
import { UpbeatError } from "../protocol/errors/error.ts";
import { type Access, Link } from "../protocol/settingsPageApi.ts";
import { programFile } from "./childProcess.ts";
import type { World } from "./world.ts";

/** It is there in half a second; a slow, busy machine takes longer. */
const START_PATIENCE_MS = 30_000;
const POLL_MS = 50;
const LAST_WORDS = 2_000;

/** Errors: UPB-PAGE-NO-START, UPB-PAGE-NO-FOLDER, those of `device/localClient.ts`. */
export async function settingsLink(root: string, env: World["env"], atMost: Access): Promise<Link> {
  const socket = settingsSocket(devicePaths(root), env);
  const ask = (): Promise<Link> => {
    return callLocal(socket, "POST", "/v1/links", Link, { atMost });
  };
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UpbeatError) || error.code !== "UPB-LOCAL-NOT-RUNNING") throw error;
  }
  const logFile = `${socket}.log`;
  const ended = startDetached(root, env, logFile);
  for (const untilMs = performance.now() + START_PATIENCE_MS; ; ) {
    const isOver = await Promise.race([ended, wait(POLL_MS, false)]);
    try {
      return await ask();
    } catch (cause) {
      // Another `upbeat settings` may have been faster: then ours ended, and that one answers.
      if (!isOver && performance.now() < untilMs) continue;
      const detail = readFileSync(logFile, "utf8").slice(-LAST_WORDS);
      throw new UpbeatError("UPB-PAGE-NO-START", { object: root, detail, cause });
    }
  }
}

/** It lives on when this command has ended. Resolves with true when it has ended itself. */
function startDetached(root: string, env: World["env"], logFile: string): Promise<true> {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o750 });
  const log = openSync(logFile, "w", 0o600);
  const program = programFile("device/settings/main");
  const child = spawn(process.execPath, [program, "--root", root], {
    detached: true,
    stdio: ["ignore", "ignore", log],
    env: { ...env },
    cwd: "/",
  });
  closeSync(log);
  child.unref();
  return new Promise((resolve) => {
    child.once("exit", () => resolve(true));
    child.once("error", () => resolve(true));
  });
}
