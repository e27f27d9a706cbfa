/**
 * One patch from an earlier version, in a process of its own.
 *
 * Errors: UPB-PUBLISH-PATCH when that process fails, those of `fetchContents`.
 */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Sha256 } from "../../protocol/ids.ts";
import { isFile, type TreeEntry } from "../../protocol/payload.ts";
import { programFile } from "../childProcess.ts";
import type { ContentReader } from "./contentReader.ts";
import type { EarlierVersion } from "./earlier.ts";
import { fetchContents } from "./fetchContents.ts";
import { MadePatch, type PatchRequest } from "./patchRequest.ts";
import type { WorkFolder } from "./workFolder.ts";

/** Raised when patches are made otherwise: what an older program left is not taken then. */
const PATCH_FORMAT = 1;
const run = promisify(execFile);

export interface PatchInput {
  readonly base: EarlierVersion;
  readonly entries: readonly TreeEntry[];
  /** SHA-256 of the new payload list. */
  readonly payload: Sha256;
  readonly folder: string;
  readonly work: WorkFolder;
  readonly reader: ContentReader;
  readonly interrupted: AbortSignal;
}

/** The file is in the work folder, perhaps since a publish that was interrupted. */
export async function makePatch(input: PatchInput): Promise<MadePatch> {
  const { base, entries, work, folder } = input;
  const of = { patch: PATCH_FORMAT, from: base.payload, to: input.payload };
  const known = work.recall(of, MadePatch);
  if (known !== undefined && existsSync(work.pathOf(known.sha256))) return known;

  const oldPaths = await findOld(input);
  const freshPaths = entries.filter(isFile).map((file) => [file.sha256, join(folder, file.path)]);
  const request: PatchRequest = {
    old: { entries: [...base.entries], paths: Object.fromEntries(oldPaths) },
    fresh: { entries: [...entries], paths: Object.fromEntries(freshPaths) },
    folder: work.folder,
  };
  const requestFile = join(work.folder, `${base.payload}.request`);
  writeFileSync(requestFile, JSON.stringify(request));
  const made = await runChild(requestFile, base, input.interrupted);
  work.remember(of, made);
  return made;
}

/** Where the old contents are that are compared: some of them are in the new tree too. */
async function findOld(input: PatchInput): Promise<Map<Sha256, string>> {
  const { base, entries, folder, work } = input;
  const here = new Map(
    entries.filter(isFile).map((file) => [file.sha256, join(folder, file.path)] as const),
  );
  const compared = comparedContents(base.entries, entries);
  const wanted = [...base.places].filter(([sha256]) => compared.has(sha256) && !here.has(sha256));
  await fetchContents(input.reader, work, new Map(wanted));
  return new Map([...compared].map((sha256) => [sha256, here.get(sha256) ?? work.pathOf(sha256)]));
}

/** Of old files that changed or are gone: `content/delta/groups.ts` compares no others. */
function comparedContents(
  old: readonly TreeEntry[],
  fresh: readonly TreeEntry[],
): ReadonlySet<Sha256> {
  const kept = new Map(fresh.filter(isFile).map((file) => [file.path, file.sha256]));
  const changed = old.filter(isFile).filter((file) => kept.get(file.path) !== file.sha256);
  return new Set(changed.map((file) => file.sha256));
}

async function runChild(
  requestFile: string,
  base: EarlierVersion,
  interrupted: AbortSignal,
): Promise<MadePatch> {
  const program = programFile("cli/publishing/patchMain");
  try {
    const { stdout } = await run(process.execPath, [program, requestFile], { signal: interrupted });
    return MadePatch.parse(JSON.parse(stdout));
  } catch (cause) {
    if (interrupted.aborted) throw cause;
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr) : String(cause);
    const detail = said.trim().split("\n").slice(-3).join(" ");
    throw new UpbeatError("UPB-PUBLISH-PATCH", { object: `from ${base.version}`, detail, cause });
  }
}
