/** Owner and mode of Upbeat's folders and files against what they are made with (row 19). */
import { chmod, chown, lstat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { check } from "../check.ts";
import { orchestratorDatabase, updateServiceDatabase } from "../probes/state.ts";

const Facts = z.object({
  entries: z.array(
    z.object({
      path: z.string(),
      kind: z.enum(["folder", "file", "socket", "other"]),
      mode: z.int(),
      uid: z.int(),
      gid: z.int(),
      /** What it is made with. */
      expected: z.int(),
      /** Who must own it: the account that runs the services. */
      owner: z.int(),
    }),
  ),
});

/** What may differ without harm: more for the owner's group to read, less for everybody else. */
const WRITE_FOR_OTHERS = 0o002;
const WRITE_FOR_GROUP = 0o020;

export const permissions = check({
  id: "permissions",
  title: "Owner and permissions",
  rows: [19],
  facts: Facts,
  async look({ paths }) {
    const owner = process.getuid?.() ?? 0;
    const entries = await Promise.all(
      expectedOf(paths).map(async ([path, expected]) => {
        const about = await lstat(path).catch(() => undefined);
        if (about === undefined) return [];
        const kind = about.isDirectory()
          ? ("folder" as const)
          : about.isSocket()
            ? ("socket" as const)
            : about.isFile()
              ? ("file" as const)
              : ("other" as const);
        const { uid, gid } = about;
        return [{ path, kind, mode: about.mode & 0o7777, uid, gid, expected, owner }];
      }),
    );
    return { entries: entries.flat() };
  },
  judge: ({ entries }) =>
    entries.flatMap((entry) => {
      const why = drift(entry);
      if (why.length === 0) return [];
      return [{ cause: "permissions-changed" as const, object: entry.path, evidence: why }];
    }),
  repairs: {
    "permissions-changed": {
      what: "Give it back the owner and the mode that it is made with",
      async apply({ paths }, { object }, undo) {
        const expected = expectedOf(paths).find(([path]) => path === object)?.[1];
        if (expected === undefined) return [];
        const { mode, uid, gid } = await lstat(object);
        undo({ kind: "permissions", path: object, mode: mode & 0o7777, uid, gid });
        await chown(object, process.getuid?.() ?? uid, gid);
        await chmod(object, expected);
        return [`${object}: mode ${octal(mode)} → ${octal(expected)}, owner ${process.getuid?.()}`];
      },
    },
  },
});

type Entry = z.infer<typeof Facts>["entries"][number];

function drift({ kind, mode, expected, uid, owner }: Entry): string[] {
  const why: string[] = [];
  if (kind === "other") return [`it is a link or something else, not a file or a folder`];
  const missing = expected & ~mode & 0o700;
  if (missing !== 0)
    why.push(`its owner may not use it: mode ${octal(mode)}, not ${octal(expected)}`);
  const tooOpen = mode & ~expected & (WRITE_FOR_OTHERS | WRITE_FOR_GROUP);
  const exposed = (expected & 0o007) === 0 && (mode & 0o006) !== 0;
  if (tooOpen !== 0 || exposed)
    why.push(`others may use it: mode ${octal(mode)}, not ${octal(expected)}`);
  if (uid !== owner) why.push(`it belongs to account ${uid}, not ${owner}`);
  return why;
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");

/** As the services, the enrolment and the manager make them. */
const expectedOf = (paths: DevicePaths): (readonly [string, number])[] => [
  [paths.config, 0o644],
  [paths.trustedRoot, 0o444],
  [paths.updateServiceState, 0o710],
  [updateServiceDatabase(paths), 0o600],
  [join(paths.updateServiceState, "metadata"), 0o755],
  [paths.orchestratorState, 0o700],
  [orchestratorDatabase(paths), 0o644],
  [join(paths.orchestratorState, "device.key"), 0o600],
  [paths.managerState, 0o750],
  [paths.installed, 0o755],
  [paths.run, 0o750],
  [paths.managerSocket, 0o660],
  [paths.updateServiceSocket, 0o660],
  [paths.orchestratorSocket, 0o660],
  [paths.logs, 0o750],
];
