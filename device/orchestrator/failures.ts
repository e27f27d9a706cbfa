/**
 * What failed on this machine, by update, since it last went well or somebody asked for it. From it
 * follows when it is tried again, and that some updates are not (`core/retry.ts`).
 */
import { z } from "zod";
import type { HeldHere } from "../../core/offerContext.ts";
import { type Failure, retryOf } from "../../core/retry.ts";
import { ErrorReport } from "../../protocol/errors/error.ts";
import { Product, Sha256, type UpdateId } from "../../protocol/ids.ts";
import type { OrchestratorDatabase } from "./database.ts";

const MAX_KEPT = 50;
const MAX_UPDATES = 500;

const Failures = z.record(
  Sha256,
  z.object({
    product: Product,
    failures: z.array(
      z.object({
        atMs: z.int(),
        error: ErrorReport.pick({ code: true, text: true, retry: true, nativeCode: true }),
      }),
    ),
  }),
);

export interface Held extends HeldHere {
  readonly product: Product;
  readonly manifestSha256: Sha256;
}

export interface FailureLog {
  add(update: UpdateId, error: ErrorReport): void;
  /** It went well, or a person asked for it: it starts with a clean slate. */
  forget(update: Pick<UpdateId, "manifestSha256">): void;
  of(update: Pick<UpdateId, "manifestSha256">): readonly Failure[];
  /** Those that are not tried again by themselves. */
  held(): Held[];
  /** Not before then; undefined: now. */
  notBeforeMs(update: Pick<UpdateId, "manifestSha256">): number | undefined;
}

export function failureLog(database: OrchestratorDatabase, now: () => number): FailureLog {
  const all = (): z.infer<typeof Failures> => database.recall("failures", Failures) ?? {};
  return {
    add({ product, manifestSha256 }, error) {
      // Why nothing was done is no failure: a pause, a version that is here already.
      if (error.retry === "information") return;
      const { code, text, retry, nativeCode } = error;
      const failure = {
        atMs: now(),
        error: { code, text, retry, ...(nativeCode === undefined ? {} : { nativeCode }) },
      };
      const known = all();
      const others = Object.entries(known).filter(([sha256]) => sha256 !== manifestSha256);
      const before = known[manifestSha256]?.failures ?? [];
      const mine = { product, failures: [...before, failure].slice(-MAX_KEPT) };
      const next = [...others.slice(-MAX_UPDATES), [manifestSha256, mine] as const];
      database.remember("failures", Object.fromEntries(next));
    },
    forget({ manifestSha256 }) {
      const { [manifestSha256]: gone, ...others } = all();
      if (gone !== undefined) database.remember("failures", others);
    },
    of: ({ manifestSha256 }) => all()[manifestSha256]?.failures ?? [],
    held() {
      return Object.entries(all()).flatMap(([sha256, { product, failures }]) => {
        const retry = retryOf(failures, now());
        if (retry.is !== "held") return [];
        const { failures: count, because } = retry;
        return [{ product, manifestSha256: Sha256.parse(sha256), failures: count, because }];
      });
    },
    notBeforeMs({ manifestSha256 }) {
      const retry = retryOf(all()[manifestSha256]?.failures ?? [], now());
      return retry.is === "wait" ? retry.untilMs : undefined;
    },
  };
}
