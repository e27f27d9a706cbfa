/**
 * Every installed version against the list of its files that was signed (row 22). Read without the
 * update service, which mends what is found here.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Product, Sha256, Version } from "../../../protocol/ids.ts";
import { readManifest } from "../../../protocol/manifest.ts";
import { readPayload, type TreeEntry } from "../../../protocol/payload.ts";
import type { DevicePaths } from "../../paths.ts";
import { check, type Seen } from "../check.ts";
import type { Machine } from "../machine.ts";
import { verifyInstalled } from "../verifyInstalled.ts";

const Installed = z.object({
  product: Product,
  version: Version,
  folder: z.string(),
  checked: z.int(),
  all: z.int(),
  damaged: z.array(z.object({ path: z.string(), why: z.string() })),
  /** Why it could not be compared. */
  unknown: z.string().optional(),
});
type Installed = z.infer<typeof Installed>;
const Facts = z.object({ installed: z.array(Installed) });

/** Of all products together; what is not reached is named as not looked at. */
const BUDGET_MS = 4_000;
const SHOWN = 5;

export const installedFiles = check({
  id: "installed-files",
  title: "Installed files",
  rows: [22],
  facts: Facts,
  async look(machine) {
    const untilMs = performance.now() + BUDGET_MS;
    const found: Installed[] = [];
    for (const { product, version, manifestSha256, state } of machine.state().records) {
      if (state !== "installed") continue;
      const folder = join(machine.paths.installed, "products", product, "versions", version);
      // A version that runs no more is kept for a way back; one that is gone was tidied away.
      if ((await currentOf(machine.paths, product)) !== version) continue;
      const about = { product, version, folder };
      const list = await listOf(machine, manifestSha256);
      if (typeof list === "string")
        found.push({ ...about, checked: 0, all: 0, damaged: [], unknown: list });
      else found.push({ ...about, ...(await compare(machine.paths, folder, list, untilMs)) });
    }
    return { installed: found };
  },
  judge: ({ installed }) =>
    installed.flatMap(({ product, version, damaged, checked, all }): Seen[] => {
      if (damaged.length === 0) return [];
      const evidence = [
        `${damaged.length} of ${checked} entries are not what was signed (${all} in all)`,
        ...damaged.slice(0, SHOWN).map(({ path, why }) => `${path}: ${why}`),
      ];
      const object = `${product}@${version}`;
      return [{ cause: "installed-files-damaged", object, service: "update-service", evidence }];
    }),
  repairs: {
    "installed-files-damaged": {
      what: "Put the damaged files right, as `upbeat verify` does",
      byItself: true,
      apply: async ({ paths }, { object }) => [
        await verifyInstalled(paths, Product.parse(object.split("@")[0])),
      ],
    },
  },
});

/** Which version its link names; undefined: none. */
async function currentOf(paths: DevicePaths, product: string): Promise<string | undefined> {
  const link = join(paths.installed, "products", product, "current");
  return (await readlink(link).catch(() => undefined))?.replace(/^versions\//, "");
}

/** A text: why there is none. */
async function listOf({ paths }: Machine, manifestSha256: Sha256): Promise<TreeEntry[] | string> {
  const kept = async (folder: string, sha256: Sha256) =>
    await readFile(join(paths.updateServiceState, folder, `${sha256}.json`));
  try {
    const manifest = readManifest(await kept("manifests", manifestSha256), manifestSha256);
    if (manifest.payload === undefined) return [];
    const bytes = await kept("payloads", Sha256.parse(manifest.payload.sha256));
    return readPayload(bytes, manifest.payload, `${manifest.product}@${manifest.version}`);
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}

async function compare(
  paths: DevicePaths,
  folder: string,
  list: readonly TreeEntry[],
  untilMs: number,
): Promise<Pick<Installed, "checked" | "all" | "damaged">> {
  const damaged: Installed["damaged"] = [];
  let checked = 0;
  for (const entry of list) {
    if (performance.now() > untilMs) break;
    const path = join(folder, entry.path);
    const why = await whyDamaged(paths, path, entry).catch((error: unknown) =>
      error instanceof Error && "code" in error && error.code === "ENOENT"
        ? "it is missing"
        : String(error),
    );
    if (why !== undefined) damaged.push({ path, why });
    checked += 1;
  }
  return { checked, all: list.length, damaged };
}

async function whyDamaged(
  paths: DevicePaths,
  path: string,
  entry: TreeEntry,
): Promise<string | undefined> {
  const about = await lstat(path);
  if (entry.type === "link") {
    if (!about.isSymbolicLink()) return "it is no link any more";
    return (await readlink(path)) === entry.target ? undefined : "it leads elsewhere";
  }
  if (entry.type === "folder" ? !about.isDirectory() : !about.isFile())
    return "it is of another kind";
  if ((about.mode & 0o7777) !== entry.mode)
    return `its mode is ${(about.mode & 0o7777).toString(8)}`;
  if (entry.type === "folder") return undefined;
  if (about.size !== entry.sizeBytes) return `it has ${about.size} bytes, not ${entry.sizeBytes}`;
  // The same file as in the store, where another check reads it.
  const name = `${entry.sha256}.${entry.mode.toString(8)}`;
  const object = join(paths.installed, "store", entry.sha256.slice(0, 2), name);
  if ((await lstat(object).catch(() => undefined))?.ino === about.ino) return undefined;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === entry.sha256 ? undefined : "its content has another SHA-256";
}
