/**
 * Where the Settings page's process of one account listens for `upbeat settings`. Each account has
 * its own process, with its own rights and no others.
 */
import { createHash } from "node:crypto";
import { accessSync, constants, lstatSync } from "node:fs";
import { join } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { DevicePaths } from "./paths.ts";

/**
 * In the folder of the services' sockets for whoever may write there; for everybody else in the
 * folder that the login gives each account (XDG Base Directory Specification: owned by it, 0700).
 * Errors: UPB-PAGE-NO-FOLDER.
 */
export function settingsSocket(
  paths: DevicePaths,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const uid = process.getuid?.() ?? 0;
  if (isWritable(paths.run) || isWritable(paths.root))
    return join(paths.run, `settings-${uid}.sock`);
  const own = env.XDG_RUNTIME_DIR;
  if (own === undefined || !belongsTo(own, uid)) {
    throw new UpbeatError("UPB-PAGE-NO-FOLDER", { object: own ?? paths.run });
  }
  const root = createHash("sha256").update(paths.root).digest("hex").slice(0, 16);
  return join(own, "upbeat", `settings-${root}.sock`);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Nobody else can put something in its place. */
function belongsTo(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o077) === 0;
}
