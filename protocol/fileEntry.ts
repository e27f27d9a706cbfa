/** What programs that read no payload list need of it: without its schema they start fast. */
import type { FileEntry, TreeEntry } from "./payload.ts";

/** Some 250 bytes for each of the 250,000 entries that a tree may have (`content/treeRules.ts`). */
export const PAYLOAD_MAX_BYTES = 64 * 1024 * 1024;

export const isFile = (entry: TreeEntry): entry is FileEntry => entry.type === "file";
