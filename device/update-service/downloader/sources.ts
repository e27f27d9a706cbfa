/**
 * The places that have the content: mirrors in the order in which root listed them, the server last.
 * One that failed is asked after the others for a while, so that one object's bad luck spares the next.
 */

/** As long as a load balancer takes to notice; Retry-After may ask for more, up to the most. */
const REST_MS = 60_000;
const LONGEST_REST_MS = 10 * 60_000;

export interface Sources {
  /** All of them, the one to ask first at the front. */
  inOrder(): readonly URL[];
  /** It does not answer, or not well. `askedMs`: how long it asked to be left alone. */
  rest(source: URL, askedMs: number | undefined): void;
}

export function sourcesOf(urls: readonly URL[], now: () => number): Sources {
  const restsUntilMs = new Map<URL, number>();
  return {
    inOrder() {
      const nowMs = now();
      const rests = (url: URL) => Math.max(0, (restsUntilMs.get(url) ?? 0) - nowMs);
      return urls.toSorted((a, b) => rests(a) - rests(b));
    },
    rest(source, askedMs = REST_MS) {
      restsUntilMs.set(source, now() + Math.min(Math.max(askedMs, REST_MS), LONGEST_REST_MS));
    },
  };
}
