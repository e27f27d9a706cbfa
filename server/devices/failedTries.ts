/** Counts failed enrolments by address, so that guessing is seen as what it is: UPB-SERVER-TOO-MANY. */

/** Security reference, section 6: ten an hour. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60 * 60 * 1000;
/** Addresses remembered; more at once is an attack, and then the oldest go. */
const MAX_ADDRESSES = 100_000;

export interface FailedTries {
  isBlocked(address: string): boolean;
  add(address: string): void;
}

export function failedTries(now: () => number): FailedTries {
  const failures = new Map<string, { count: number; sinceMs: number }>();
  const found = (address: string) => {
    const entry = failures.get(address);
    if (entry === undefined || now() - entry.sinceMs < WINDOW_MS) return entry;
    failures.delete(address);
    return undefined;
  };
  return {
    isBlocked: (address) => (found(address)?.count ?? 0) >= MAX_FAILURES,
    add(address) {
      const { count, sinceMs } = found(address) ?? { count: 0, sinceMs: now() };
      failures.set(address, { count: count + 1, sinceMs });
      if (failures.size <= MAX_ADDRESSES) return;
      const [oldest] = failures.keys();
      if (oldest !== undefined) failures.delete(oldest);
    },
  };
}
