/** A question about one update on one machine, and its answer. A refusal is a value with a reason. */
import type { NotOffered } from "../protocol/decisions.ts";
import type { Evaluated } from "./applicability.ts";
import type { DeviceView, KnownUpdate } from "./installedHere.ts";

export type Refusal = Omit<NotOffered, "product" | "version">;

export type Answer = (
  | { readonly is: "passed"; readonly because: string }
  | { readonly is: "stopped"; readonly refusal: Refusal }
) & { readonly rule?: Evaluated };

export interface Question {
  readonly question: string;
  /** Whether it is asked about a bundle's children too: rollouts and delays come with the bundle. */
  readonly ofChildren: boolean;
  ask(update: KnownUpdate, view: DeviceView): Answer;
}

export const passed = (because: string, rule?: Evaluated): Answer =>
  rule === undefined ? { is: "passed", because } : { is: "passed", because, rule };
export const stopped = (refusal: Refusal, rule?: Evaluated): Answer =>
  rule === undefined ? { is: "stopped", refusal } : { is: "stopped", refusal, rule };
