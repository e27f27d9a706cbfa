/** Files on disk as sources of random reads; only so many are open at once, however many there are. */
import { closeSync, openSync, readSync } from "node:fs";
import type { ByteSource } from "./delta/byteSource.ts";

const MAX_OPEN = 64;

export interface FileSources {
  /** Opened at the first read. */
  open(path: string, sizeBytes: number): ByteSource;
  close(): void;
}

export function fileSources(): FileSources {
  /** By path, the one that was used last at the end. */
  const handles = new Map<string, number>();
  const handleOf = (path: string): number => {
    const handle = handles.get(path) ?? openSync(path, "r");
    handles.delete(path);
    handles.set(path, handle);
    const [oldest] = handles;
    if (handles.size > MAX_OPEN && oldest !== undefined) {
      handles.delete(oldest[0]);
      closeSync(oldest[1]);
    }
    return handle;
  };
  return {
    open: (path, sizeBytes) => ({
      sizeBytes,
      read(offset, target) {
        const handle = handleOf(path);
        for (let done = 0; done < target.length; ) {
          const count = readSync(handle, target, done, target.length - done, offset + done);
          if (count === 0) throw new Error(`${path} is shorter than it was`);
          done += count;
        }
      },
    }),
    close() {
      for (const handle of handles.values()) closeSync(handle);
      handles.clear();
    },
  };
}
