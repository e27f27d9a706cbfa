/** One process a state folder (`content/heldFile.ts`). */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holdFile } from "../content/heldFile.ts";
import { UpbeatError } from "../protocol/errors/error.ts";

export interface InstanceLock {
  release(): void;
}

/**
 * Errors: UPB-SERVICE-ALREADY-RUNNING, naming the process that holds the folder;
 * UPB-SERVICE-STATE-FOLDER when the folder cannot be written.
 */
export function lockFolder(folder: string): InstanceLock {
  const pidFile = join(folder, "instance.pid");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
    const lock = holdFile(join(folder, "instance.lock"));
    if (lock === undefined) throw running(folder, pidFile);
    writeFileSync(pidFile, `${process.pid}\n`);
    return {
      release() {
        rmSync(pidFile, { force: true });
        lock.release();
      },
    };
  } catch (cause) {
    if (cause instanceof UpbeatError) throw cause;
    throw new UpbeatError("UPB-SERVICE-STATE-FOLDER", { object: folder, cause });
  }
}

const running = (folder: string, pidFile: string): UpbeatError =>
  new UpbeatError("UPB-SERVICE-ALREADY-RUNNING", {
    object: folder,
    detail: `process ${holderOf(pidFile)} holds it`,
    nativeCode: "SQLITE_BUSY",
  });

function holderOf(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    // The holder has the lock and has not written its number yet.
    return "unknown";
  }
}
