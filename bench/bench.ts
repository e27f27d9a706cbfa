/**
 * The shape of one measurement, and what every one of them shares. `main.ts` lists and runs them.
 *
 * Rules: both sides of a comparison run in turn in the same run; medians and ratios are reported;
 * a goal that is missed is written as missed.
 */

/** What was aimed at, e.g. `{ what: "time against cp", value: 1.3, goal: 1.5, met: true }`. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly goal: number;
  readonly met: boolean;
}

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface BenchResult {
  /** By name with its unit, e.g. `typescriptInstallMs`. */
  readonly figures: Readonly<Record<string, number | string>>;
  readonly goals: readonly Goal[];
  readonly tables: readonly Table[];
}

export interface Bench {
  readonly name: string;
  /** One sentence for `--list`. */
  readonly describe: string;
  /** `only`: parts of the names of what is to be measured; all when it is empty. */
  run(only?: readonly string[]): Promise<BenchResult>;
}

/** Most goals: the smaller the better. */
export function atMost(what: string, value: number, goal: number): Goal {
  return { what, value, goal, met: value <= goal };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("median of nothing");
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
