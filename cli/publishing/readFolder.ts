/**
 * The payload of an update: what a folder holds, refused now if any machine would refuse it later.
 * Errors: UPB-PUBLISH-EMPTY, UPB-TREE-*.
 */
import { statSync } from "node:fs";
import { readTree } from "../../content/readTree.ts";
import { requireSafeTree } from "../../content/treeRules.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { TreeEntry } from "../../protocol/payload.ts";
import type { Progress } from "../screen/progress.ts";

export async function readFolder(folder: string, progress: Progress): Promise<TreeEntry[]> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UpbeatError("UPB-PUBLISH-EMPTY", { object: folder, detail: "it is not a folder" });
  }
  let read = 0;
  const text = "Read and hash the folder";
  progress.show({ text });
  const entries = await readTree(folder, (bytes) => {
    read += bytes;
    // How much there is in all is only known at the end.
    progress.show({ text, doneBytes: read });
  });
  if (!entries.some((entry) => entry.type !== "folder")) {
    throw new UpbeatError("UPB-PUBLISH-EMPTY", { object: folder });
  }
  requireSafeTree(entries, folder);
  progress.end("done");
  return entries;
}
