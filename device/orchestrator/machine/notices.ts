/**
 * What the people at this machine are told without asking: on their terminals at once, and in the
 * status for as long as the last ones are kept. The setting `notices` says which of it.
 */
import { z } from "zod";
import { Notice } from "../../../protocol/orchestratorApi.ts";
import type { Settings } from "../../../protocol/settings.ts";
import type { OrchestratorDatabase } from "../database.ts";

export interface Notices {
  /** `about`: what was told about is not told about again while it is among the last ones. */
  tell(kind: Notice["kind"], about: string, sentence: string): void;
  /** The newest first. */
  list(): Notice[];
}

const KEPT = 20;
const Told = z.array(Notice.extend({ about: z.string() }));

const SHOWN: Record<Settings["notices"], ReadonlySet<Notice["kind"]>> = {
  all: new Set(["restart", "update"]),
  restarts: new Set(["restart"]),
  none: new Set(),
};

export function notices(
  database: OrchestratorDatabase,
  world: {
    readonly now: () => number;
    readonly setting: () => Settings["notices"];
    readonly show: (sentence: string) => void;
  },
): Notices {
  const told = () => database.recall("notices", Told) ?? [];
  return {
    tell(kind, about, sentence) {
      const before = told();
      if (!SHOWN[world.setting()].has(kind) || before.some((it) => it.about === about)) return;
      const next = { atMs: world.now(), kind, about, sentence };
      database.remember("notices", [next, ...before].slice(0, KEPT));
      world.show(sentence);
    },
    list: () => told().map(({ atMs, kind, sentence }) => ({ atMs, kind, sentence })),
  };
}
