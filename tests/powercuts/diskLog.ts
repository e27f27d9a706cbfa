/** What reached the disk, in order. A write is durable once a flush stands behind it. */
export type LogEntry =
  /** `fua`: durable by itself (forced unit access). */
  | {
      readonly kind: "write";
      readonly offset: number;
      readonly bytes: Uint8Array;
      readonly fua: boolean;
    }
  | { readonly kind: "flush" }
  /** Not the disk's: put there by the test, e.g. when the update was acknowledged. */
  | { readonly kind: "mark"; readonly name: string };

/** What the thread with the disk is told, and what it answers (`diskThread.ts`). */
export type DiskOrder = { readonly kind: "mark"; readonly name: string } | { readonly kind: "end" };
export type DiskAnswer =
  | { readonly kind: "listening" }
  | { readonly kind: "marked" }
  | { readonly kind: "ended"; readonly log: readonly LogEntry[] };
