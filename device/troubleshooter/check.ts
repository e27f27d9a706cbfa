/**
 * The shape of one check: look (reads, changes nothing) → facts → judge (pure) → symptoms, and what
 * repairs them. Facts are data, so that a support bundle can be judged on another machine.
 */
import type { z } from "zod";
import type { CauseId } from "../../protocol/troubleshooting/causes.ts";
import type { Symptom } from "../../protocol/troubleshooting/diagnosis.ts";
import type { Machine } from "./machine.ts";
import type { UndoStep } from "./undo.ts";

/** What `look` returns instead of facts when there is nothing to look at here. */
export interface NotApplicable {
  readonly notApplicable: string;
}

export const notApplicable = (because: string): NotApplicable => ({ notApplicable: because });

export type Seen = Omit<Symptom, "check">;

export interface Repair {
  /** An imperative sentence without a full stop: what is done. */
  readonly what: string;
  /**
   * Also unasked, where the administrator lets it (`repairByItself`): it restarts, fetches or tidies
   * what is Upbeat's own, and takes nothing back that a person may have meant.
   */
  readonly byItself?: true;
  /** Makes it. Whatever can be undone goes into `undo` before it is done. */
  apply(machine: Machine, symptom: Symptom, undo: (step: UndoStep) => void): Promise<string[]>;
}

export interface CheckSpec<Facts> {
  readonly id: string;
  /** What is looked at, e.g. "Clock". */
  readonly title: string;
  /** Rows of the table in the reference, section 4.3. */
  readonly rows: readonly number[];
  readonly facts: z.ZodType<Facts>;
  /** Reads only. May throw: the check then could not be made, and says so. */
  look(machine: Machine): Promise<Facts | NotApplicable>;
  judge(facts: Facts, nowMs: number): Seen[];
  readonly repairs?: Partial<Record<CauseId, Repair>>;
}

/** A check whose facts' type is sealed inside. */
export interface Check {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly number[];
  readonly repairs: Partial<Record<CauseId, Repair>>;
  look(machine: Machine): Promise<unknown>;
  /** Facts of another shape (a bundle of another version) throw. */
  judge(facts: unknown, nowMs: number): Symptom[];
}

export function check<Facts>(spec: CheckSpec<Facts>): Check {
  return {
    id: spec.id,
    title: spec.title,
    rows: spec.rows,
    repairs: spec.repairs ?? {},
    look: (machine) => spec.look(machine),
    judge: (facts, nowMs) =>
      spec.judge(spec.facts.parse(facts), nowMs).map((seen) => ({ ...seen, check: spec.id })),
  };
}

export const isNotApplicable = (facts: unknown): facts is NotApplicable =>
  typeof facts === "object" && facts !== null && "notApplicable" in facts;
