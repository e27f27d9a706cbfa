/**
 * Tells whoever looks that something has changed, at most once a second, however much changes. What
 * changed is fetched again by its reader: a million devices' reports are one line a second.
 */
import { CHANGE_TOPICS, type ConsoleChange } from "../../protocol/admin/console.ts";

type Topic = ConsoleChange["topics"][number];

/** A person sees a second; a fleet reports all the time. */
const AT_MOST_EVERY_MS = 1_000;
/** Each open page holds a connection. */
const MAX_LISTENERS = 200;

export interface Changes {
  tell(...topics: Topic[]): void;
  /** For a reader who has just come: it may have missed anything. */
  all(): ConsoleChange;
  /** Undefined: as many as there may be listen already. Else what ends it. */
  listen(hear: (change: ConsoleChange) => void): (() => void) | undefined;
}

export function changes(now: () => number): Changes {
  const listeners = new Set<(change: ConsoleChange) => void>();
  const waiting = new Set<Topic>();
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    timer = undefined;
    if (waiting.size === 0) return;
    const change = { topics: CHANGE_TOPICS.filter((topic) => waiting.has(topic)), atMs: now() };
    waiting.clear();
    for (const hear of listeners) hear(change);
    // What changes within the next second waits for its end.
    timer = setTimeout(send, AT_MOST_EVERY_MS).unref();
  };
  return {
    tell(...topics) {
      if (listeners.size === 0) return;
      for (const topic of topics) waiting.add(topic);
      if (timer === undefined) send();
    },
    all: () => ({ topics: [...CHANGE_TOPICS], atMs: now() }),
    listen(hear) {
      if (listeners.size >= MAX_LISTENERS) return undefined;
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}
