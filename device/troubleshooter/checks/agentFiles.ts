/** Upbeat's own program files: are they the ones that were built (row 21). */
import { join } from "node:path";
import { z } from "zod";
import { changedAgentFiles } from "../agentFiles.ts";
import { check, notApplicable, type Seen } from "../check.ts";

const Facts = z.object({
  folder: z.string(),
  checked: z.int(),
  all: z.int(),
  changed: z.array(z.object({ path: z.string(), why: z.string() })),
});

/** A build is a few megabytes: this is for a disk that is busy. */
const BUDGET_MS = 4_000;
const SHOWN = 5;
/** `device/troubleshooter/checks` stands in it. */
const AGENT = join(import.meta.dirname, "../../..");

export const agentFiles = check({
  id: "agent-files",
  title: "Upbeat's own files",
  rows: [21],
  facts: Facts,
  async look() {
    const found = await changedAgentFiles(AGENT, BUDGET_MS);
    if (found !== undefined) return { folder: AGENT, ...found };
    // A build has its list; without one, only the place says what this is.
    if (import.meta.url.endsWith(".ts"))
      return notApplicable("it runs from its sources, which anybody may be working on");
    const changed = [{ path: join(AGENT, "files.json"), why: "the list of files is missing" }];
    return { folder: AGENT, checked: 0, all: 0, changed };
  },
  judge({ folder, checked, all, changed }): Seen[] {
    if (changed.length === 0) return [];
    const evidence = [
      `${changed.length} of ${checked} files are not as they were built (${all} in all)`,
      ...changed.slice(0, SHOWN).map(({ path, why }) => `${path}: ${why}`),
    ];
    return [{ cause: "agent-files-changed", object: folder, evidence }];
  },
});
