/** Owner and mode of Upbeat's folders and files against what they are made with (row 19). */
import { chmod, chown, lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { hasUnit } from "../../systemd.ts";
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
    const accounts = await accountsOf(paths);
    const entries = await Promise.all(
      expectedOf(paths, accounts).map(async ({ path, mode: expected, owner }) => {
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
        const all = expectedOf(paths, await accountsOf(paths));
        const expected = all.find(({ path }) => path === object);
        if (expected === undefined) return [];
        const { mode, uid, gid } = await lstat(object);
        undo({ kind: "permissions", path: object, mode: mode & 0o7777, uid, gid });
        await chown(object, expected.owner, gid);
        await chmod(object, expected.mode);
        return [
          `${object}: mode ${octal(mode)} → ${octal(expected.mode)}, owner ${expected.owner}`,
        ];
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

interface Accounts {
  /** Of everything but: */
  readonly own: number;
  readonly orchestrator: number;
  readonly bySystemd: boolean;
}

/** Where systemd runs the services, the orchestrator has an account of its own (packaging/sysusers.d). */
async function accountsOf(paths: DevicePaths): Promise<Accounts> {
  const own = process.getuid?.() ?? 0;
  if (!hasUnit(paths.root, "upbeat-orchestrator.service"))
    return { own, orchestrator: own, bySystemd: false };
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  const uid = /^upbeat:[^:]*:(\d+):/m.exec(passwd)?.[1];
  return { own: 0, orchestrator: uid === undefined ? 0 : Number(uid), bySystemd: true };
}

/** As the services, the enrolment, the manager and the package make them. */
function expectedOf(
  paths: DevicePaths,
  { own, orchestrator, bySystemd }: Accounts,
): { path: string; mode: number; owner: number }[] {
  const rows: readonly (readonly [string, number, number?])[] = [
    [paths.config, 0o644],
    [paths.trustedRoot, 0o444],
    [paths.updateServiceState, 0o710],
    [updateServiceDatabase(paths), 0o600],
    [join(paths.updateServiceState, "metadata"), 0o755],
    [paths.orchestratorState, 0o700, orchestrator],
    [orchestratorDatabase(paths), 0o644, orchestrator],
    [join(paths.orchestratorState, "device.key"), 0o600, orchestrator],
    [paths.managerState, 0o750],
    [paths.installed, 0o755],
    // Two accounts put their sockets there: sticky, so that neither removes the other's.
    [paths.run, bySystemd ? 0o1770 : 0o750],
    [paths.managerSocket, 0o660],
    [paths.updateServiceSocket, 0o660],
    [paths.orchestratorSocket, 0o660, orchestrator],
    [paths.logs, 0o750],
  ];
  return rows.map(([path, mode, owner = own]) => ({ path, mode, owner }));
}
