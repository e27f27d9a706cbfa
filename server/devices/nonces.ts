/**
 * Remembers the nonces of signed requests for as long as such a request could be sent again. Bounded:
 * when it is full it refuses, it never forgets early.
 */
import { SIGNATURE_TOLERANCE_MS } from "../../protocol/requestSignature.ts";

/** A signature is good for the tolerance before and after the server's clock. */
const KEPT_MS = 2 * SIGNATURE_TOLERANCE_MS;
/** Ten requests a second of one device for the whole time. */
const MAX_OF_ONE_KEY = 6_000;
/** Some 30 MB. */
const MAX_ALL = 200_000;

export interface Nonces {
  /** Remembers it; true when it was seen before. */
  isReplay(keyId: string, nonce: string): boolean;
  isFull(keyId: string): boolean;
}

export function nonces(now: () => number): Nonces {
  /** In order of arrival. */
  const seen = new Map<string, { keyId: string; atMs: number }>();
  const counts = new Map<string, number>();
  const forgetOld = () => {
    const oldestMs = now() - KEPT_MS;
    for (const [key, { keyId, atMs }] of seen) {
      if (atMs >= oldestMs) return;
      seen.delete(key);
      const left = (counts.get(keyId) ?? 1) - 1;
      if (left === 0) counts.delete(keyId);
      else counts.set(keyId, left);
    }
  };
  return {
    isReplay(keyId, nonce) {
      const key = `${keyId} ${nonce}`;
      if (seen.has(key)) return true;
      seen.set(key, { keyId, atMs: now() });
      counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
      return false;
    },
    isFull(keyId) {
      forgetOld();
      return (counts.get(keyId) ?? 0) >= MAX_OF_ONE_KEY || seen.size >= MAX_ALL;
    },
  };
}
