/**
 * The last look before a set is shown: a device that has never seen this server refreshes from the
 * very first root and looks up what is new, with the client that devices run, over the files as they
 * are going to be.
 *
 * Errors: UPB-TRUST-*, UPB-SERVER-DAMAGED when the result is not what was checked.
 */
import { UpbeatError } from "../../protocol/errors/error.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { Marks, MetadataStore } from "../../protocol/trust/ports.ts";
import { rolePath } from "./currentSet.ts";

export async function proveSet(input: {
  /** The file below the repository, as it is going to be. */
  read: (path: string) => Uint8Array | undefined;
  /** Target paths that must be found. */
  paths: readonly string[];
  now: () => number;
}): Promise<void> {
  const { read, now } = input;
  const trustedRoot = read(rolePath("root", 1));
  if (trustedRoot === undefined)
    throw new UpbeatError("UPB-SERVER-DAMAGED", { object: rolePath("root", 1) });
  const source = { fetch: async (name: string) => read(`metadata/${name}`) };
  const trusted = await refresh({ trustedRoot, store: emptyStore(), source, now });
  for (const path of input.paths) {
    if ((await trusted.findTarget(path)) !== undefined) continue;
    throw new UpbeatError("UPB-SERVER-DAMAGED", {
      object: path,
      detail: "no device would find it",
    });
  }
}

/** Of a device that has never seen anything; it ends with whoever asked for it. */
export function emptyStore(): MetadataStore {
  const files = new Map<string, Uint8Array>();
  let marks: Marks | undefined;
  return {
    read: (role) => files.get(role),
    write: (role, bytes) => files.set(role, bytes),
    remove: (role) => files.delete(role),
    readRoot: () => undefined,
    writeRoot: () => undefined,
    readMarks: () => marks,
    writeMarks: (next) => {
      marks = next;
    },
  };
}
