/** A metadata store in memory, for tests that look at decisions only and make thousands of them. */
import type { Marks, MetadataStore } from "../../protocol/trust/ports.ts";

export function memoryStore(): MetadataStore {
  const files = new Map<string, Uint8Array>();
  const roots = new Map<number, Uint8Array>();
  let marks: Marks | undefined;
  return {
    read: (role) => files.get(role),
    write: (role, bytes) => files.set(role, bytes),
    remove: (role) => files.delete(role),
    readRoot: (version) => roots.get(version),
    writeRoot: (version, bytes) => roots.set(version, bytes),
    readMarks: () => marks,
    writeMarks: (next) => {
      marks = next;
    },
  };
}
