/**
 * The log of decisions: what was decided, from what, when. Bounded; a decision that says the same as
 * the one before it is not written again.
 *
 * Errors: UPB-DECISION-UNKNOWN.
 */
import { createHash, randomUUID } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { OfferInput } from "../../../core/installedHere.ts";
import type { Decision } from "../../../core/offer.ts";
import type { OfferRules } from "../../../core/offerContext.ts";
import type { Plan } from "../../../core/timing/plan.ts";
import type { Situation } from "../../../core/timing/situation.ts";
import { type DecisionRecord, DecisionReplay } from "../../../protocol/decisionLog.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { formatUpdate } from "../../../protocol/ids.ts";
import type { OrchestratorDatabase } from "../database.ts";
import {
  decideAgain,
  type FrozenOffers,
  type FrozenTiming,
  freezeOffers,
  freezeTiming,
  outcomeOfPlan,
} from "./frozen.ts";

/** Of each kind. An evaluation with all facts of a Debian machine is some 20 kB here. */
const KEPT = 300;
/** What comes out of the log is ours; a damaged row must still not fill the memory. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface DecisionLog {
  offers(input: OfferInput & { readonly rules: OfferRules }, decision: Decision): void;
  timing(situation: Situation, plan: Plan): void;
  list(limit: number): DecisionRecord[];
  /** Decides it again. */
  replay(id: string): DecisionReplay;
}

interface Entry {
  readonly frozen: FrozenOffers | FrozenTiming;
  readonly outcome: unknown;
}

/** `tell` hears of each that is written. */
export function decisionLog(
  database: OrchestratorDatabase,
  now: () => number,
  tell: (decision: DecisionRecord) => void,
): DecisionLog {
  const { sql } = database;
  const insert = sql.prepare(
    "INSERT INTO decisions (id, atMs, kind, summary, digest, body) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const last = sql.prepare(
    "SELECT digest FROM decisions WHERE kind = ? ORDER BY number DESC LIMIT 1",
  );
  const tidy = sql.prepare(
    `DELETE FROM decisions WHERE kind = ? AND number NOT IN
      (SELECT number FROM decisions WHERE kind = ? ORDER BY number DESC LIMIT ?)`,
  );
  const select = sql.prepare(
    "SELECT id, atMs, kind, summary FROM decisions ORDER BY number DESC LIMIT ?",
  );
  const find = sql.prepare("SELECT id, atMs, kind, summary, body FROM decisions WHERE id = ?");

  const add = (entry: Entry, summary: string, says: unknown): void => {
    const { kind } = entry.frozen;
    const digest = createHash("sha256").update(JSON.stringify(says)).digest("hex");
    if (last.get(kind)?.digest === digest) return;
    const body = zstdCompressSync(JSON.stringify(entry));
    const [id, atMs] = [randomUUID(), now()];
    database.atomically(() => {
      insert.run(id, atMs, kind, summary, digest, body);
      tidy.run(kind, kind, KEPT);
    });
    tell({ id, atMs, kind, summary });
  };

  return {
    offers(input, { offers, notOffered }) {
      const outcome = { offers, notOffered };
      add({ frozen: freezeOffers(input), outcome }, ofOffers(outcome), outcome);
    },
    timing(situation, plan) {
      const outcome = outcomeOfPlan(plan);
      add({ frozen: freezeTiming(situation), outcome }, ofPlan(plan), timeless(plan));
    },
    list: (limit) => select.all(limit).map(recordOf),
    replay(id) {
      const row = find.get(id);
      if (row === undefined || !(row.body instanceof Uint8Array)) {
        throw new UpbeatError("UPB-DECISION-UNKNOWN", { object: id });
      }
      const text = zstdDecompressSync(row.body, { maxOutputLength: MAX_BYTES }).toString("utf8");
      const entry = JSON.parse(text) as Entry;
      const { frozen, outcome } = entry;
      // Through JSON once, as the kept one went: what is undefined is absent in both.
      const replayed: unknown = JSON.parse(JSON.stringify(decideAgain(frozen)));
      return DecisionReplay.parse({
        decision: recordOf(row),
        inputs: frozen,
        outcome,
        replayed,
        same: JSON.stringify(replayed) === JSON.stringify(outcome),
      });
    },
  };
}

const recordOf = (row: Record<string, unknown>): DecisionRecord => ({
  id: String(row.id),
  atMs: Number(row.atMs),
  kind: row.kind === "offers" ? "offers" : "timing",
  summary: String(row.summary),
});

function ofOffers({ offers, notOffered }: Pick<Decision, "offers" | "notOffered">): string {
  const names = offers.map(({ update }) => formatUpdate(update));
  const rest = `${notOffered.length} not offered`;
  return names.length === 0
    ? `Nothing is offered, ${rest}.`
    : `${names.join(", ")} offered, ${rest}.`;
}

function ofPlan({ download, install, waiting, restart }: Plan): string {
  const parts = [
    ...download.map((id) => `download ${formatUpdate(id)}`),
    ...install.map((id) => `install ${formatUpdate(id)}`),
    ...(restart?.now === true ? ["restart"] : []),
    ...(restart?.warn === undefined ? [] : [`warn of the restart (${restart.warn})`]),
  ];
  const [first] = [...(restart?.plan.waiting ?? []), ...waiting.flatMap((it) => it.waiting)];
  if (parts.length > 0) return `Now: ${parts.join(", ")}.`;
  return first === undefined ? "Nothing to do." : first.sentence;
}

/** What makes a plan another one: not that its times move on with the clock. */
function timeless({ download, install, waiting, restart }: Plan): unknown {
  return {
    download,
    install,
    waiting: waiting.map(({ update, step, waiting: reasons }) => [
      update,
      step,
      reasons.map(({ reason, by }) => [reason, by]),
    ]),
    restart: restart && [
      restart.now,
      restart.warn,
      restart.plan.mode,
      restart.plan.updates,
      restart.plan.waiting.map(({ reason, by }) => [reason, by]),
    ],
  };
}
