/**
 * Makes one patch in a process of its own: what it needs of memory goes back when it ends, and is
 * counted. `node patchMain.ts REQUEST.json`; the answer is one line of JSON.
 */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sourceOfBytes } from "../../content/delta/byteSource.ts";
import { fileSources } from "../../content/fileSource.ts";
import { encodeTreePatch, type PatchSide, readTreePatch } from "../../content/treePatch.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import { isFile } from "../../protocol/payload.ts";
import { type MadePatch, PatchRequest } from "./patchRequest.ts";

const [requestFile = ""] = process.argv.slice(2);
const request = PatchRequest.parse(JSON.parse(readFileSync(requestFile, "utf8")));
const sources = fileSources();

const sideOf = ({ entries, paths }: PatchRequest["old"]): PatchSide => ({
  entries,
  open: ({ sha256, sizeBytes, path }) => {
    const file = paths[sha256];
    if (file !== undefined) return sources.open(file, sizeBytes);
    const read = () => {
      throw new UpbeatError("UPB-INTERNAL-BUG", {
        object: `${path} is compared and was not fetched`,
      });
    };
    return { sizeBytes, read };
  },
});

const old = sideOf(request.old);
const fresh = sideOf(request.fresh);
const patch = await encodeTreePatch(old, fresh);
const { reads, entries } = readTreePatch(sourceOfBytes(patch), old.entries);
const oldFiles = old.entries.filter(isFile);
const sha256 = Sha256.parse(createHash("sha256").update(patch).digest("hex"));
const file = join(request.folder, sha256);
writeFileSync(`${file}.new`, patch);
renameSync(`${file}.new`, file);
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const made: MadePatch = {
  sha256,
  sizeBytes: patch.length,
  readBytes: reads.reduce((sum, index) => sum + (oldFiles[index]?.sizeBytes ?? 0), 0),
  writeBytes: entries.reduce((sum, entry) => sum + madeBytes(entry), 0),
  cpuMs: (userCPUTime + systemCPUTime) / 1_000,
  peakMemoryBytes: maxRSS * 1_024,
};
sources.close();
process.stdout.write(`${JSON.stringify(made)}\n`);

function madeBytes(entry: (typeof entries)[number]): number {
  return entry.type === "file" && entry.sha256 === undefined ? entry.sizeBytes : 0;
}
