/** Which file system a path is on, from /proc/self/mountinfo (proc(5)). */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

export interface Mount {
  readonly mount: string;
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
}

/** Fields 5 and 6, and after " - " the type, the source and the file system's own options. */
export async function readMounts(): Promise<Mount[]> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , , mount, options = ""] = before.split(" ");
    const [type = "", device = "", superOptions = ""] = after.split(" ");
    if (mount === undefined) return [];
    const readOnly = [options, superOptions].some((list) => list.split(",").includes("ro"));
    // Spaces and the like are written in octal there.
    const path = mount.replace(/\\(\d{3})/g, (_, digits) =>
      String.fromCharCode(parseInt(digits, 8)),
    );
    return [{ mount: path, device, type, readOnly }];
  });
}

/** The longest mount point above the path; a later line covers an earlier one of the same name. */
export function mountOf(mounts: readonly Mount[], path: string): Mount {
  let best: Mount = { mount: "/", device: "unknown", type: "unknown", readOnly: false };
  for (const mount of mounts) {
    const below = mount.mount === "/" || path === mount.mount || path.startsWith(`${mount.mount}/`);
    if (below && mount.mount.length >= best.mount.length) best = mount;
  }
  return best;
}

/** The path itself, or the nearest folder above it that exists; links followed. */
export async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const there = await stat(at).then(
      () => true,
      () => false,
    );
    if (there || at === dirname(at)) return await realpath(at);
  }
}

export const nearestMount = async (path: string): Promise<Mount> =>
  mountOf(await readMounts(), await nearestExisting(path));
