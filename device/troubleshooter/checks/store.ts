/** The store of downloaded content: every object is named by its hash, so it can be judged by itself (row 14). */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { DevicePaths } from "../../paths.ts";
import { check, type Seen } from "../check.ts";
import { downloadAgain } from "../downloadAgain.ts";

const Facts = z.object({
  folder: z.string(),
  checked: z.int(),
  all: z.int(),
  damaged: z.array(z.object({ path: z.string(), why: z.string() })),
});

/** Enough for some gigabytes on an SSD; the rest is named as not looked at. */
const BUDGET_MS = 4_000;
const SHOWN = 5;

export const store = check({
  id: "store",
  title: "Downloaded content",
  rows: [14],
  facts: Facts,
  async look({ paths }) {
    const folder = storeOf(paths);
    const objects = await objectsOf(folder);
    const untilMs = performance.now() + BUDGET_MS;
    const damaged: z.infer<typeof Facts>["damaged"] = [];
    let checked = 0;
    for (const path of objects) {
      if (performance.now() > untilMs) break;
      const why = await whyDamaged(path);
      if (why !== undefined) damaged.push({ path, why });
      checked += 1;
    }
    return { folder, checked, all: objects.length, damaged };
  },
  judge({ folder, checked, all, damaged }): Seen[] {
    if (damaged.length === 0) return [];
    const evidence = [
      `${damaged.length} of ${checked} objects are not what their names say (${all} in all)`,
      ...damaged.slice(0, SHOWN).map(({ path, why }) => `${path}: ${why}`),
    ];
    return [{ cause: "payload-damaged", object: folder, service: "update-service", evidence }];
  },
  repairs: {
    "payload-damaged": {
      what: "Set what is damaged aside and fetch it again",
      byItself: true,
      async apply(machine, _symptom, undo) {
        const { paths } = machine;
        const changed: string[] = [];
        for (const path of await objectsOf(storeOf(paths))) {
          if ((await whyDamaged(path)) === undefined) continue;
          // The name says that it is no object, and tidying removes it with the rest.
          const aside = `${path}.damaged`;
          undo({ kind: "move-back", from: aside, to: path });
          await rename(path, aside);
          changed.push(`set ${path} aside`);
        }
        for (const record of machine.state().records) {
          if (record.state === "downloaded") changed.push(await downloadAgain(paths, record));
        }
        return changed;
      },
    },
  },
});

const storeOf = (paths: DevicePaths): string => join(paths.installed, "store");

async function objectsOf(folder: string): Promise<string[]> {
  const shards = await readdir(folder).catch(() => []);
  const names = await Promise.all(
    shards.map(async (shard) => {
      const found = await readdir(join(folder, shard)).catch(() => []);
      return found.filter((name) => OBJECT.test(name)).map((name) => join(folder, shard, name));
    }),
  );
  return names.flat();
}

const OBJECT = /^[0-9a-f]{64}\.[0-7]{3,4}$/;

/** Undefined: it is what its name says, or went away meanwhile. */
async function whyDamaged(path: string): Promise<string | undefined> {
  const [expected = "", mode = ""] = path.slice(path.lastIndexOf("/") + 1).split(".");
  try {
    const about = await stat(path);
    if ((about.mode & 0o7777) !== parseInt(mode, 8))
      return `its mode is ${(about.mode & 0o7777).toString(8)}`;
    const hash = createHash("sha256");
    await pipeline(createReadStream(path), hash);
    return hash.digest("hex") === expected ? undefined : "its content has another SHA-256";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return code === "ENOENT" ? undefined : code;
  }
}
