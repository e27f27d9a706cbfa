/**
 * A live value from server-sent events, read with `fetch` because `EventSource` cannot send the
 * header that proves the session. Connects again by itself; the last value stays until then. Without
 * React, so that a page may begin to read before it has loaded anything else.
 */
import type { ErrorReport } from "../../protocol/errors/error.ts";
import { awayError, type Behind, ReportedError, refusal } from "./api.ts";
import { LOADING, type Loaded } from "./loaded.ts";

const AGAIN_MS = 1_000;
/** Four heartbeats of the server: the computer slept, or the process is gone. */
const SILENCE_MS = 60_000;

export interface LiveValue<T> {
  readonly value: Loaded<T>;
  /** False: what is shown may be old. */
  readonly connected: boolean;
}

export interface LiveSource<T> {
  current(): LiveValue<T>;
  /** Returns how to stop listening. */
  subscribe(changed: () => void): () => void;
}

/** Begins to read at once, and goes on until the page is closed. */
export function liveSource<T>(path: string, behind: Behind): LiveSource<T> {
  const listeners = new Set<() => void>();
  let live: LiveValue<T> = { value: LOADING, connected: true };
  const show = (next: LiveValue<T>): void => {
    live = next;
    for (const changed of listeners) changed();
  };
  void keepReading(path, behind, new AbortController().signal, {
    data: (text) =>
      show({ value: { state: "ready", value: JSON.parse(text) as T }, connected: true }),
    lost: (error) =>
      show({
        value: live.value.state === "ready" ? live.value : { state: "failed", error },
        connected: false,
      }),
  });
  return {
    current: () => live,
    subscribe(changed) {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
  };
}

export interface Reading {
  readonly data: (text: string) => void;
  readonly lost: (error: ErrorReport) => void;
}

export async function keepReading(
  path: string,
  behind: Behind,
  signal: AbortSignal,
  on: Reading,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await readEvents(path, behind, signal, on.data);
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof ReportedError ? error : awayError(behind, String(error));
      on.lost(known.report);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** HTML Standard, 9.2.6, as far as our own server uses it: one line of `data:` an event. */
async function readEvents(
  path: string,
  behind: Behind,
  signal: AbortSignal,
  onData: (data: string) => void,
): Promise<void> {
  const silence = new AbortController();
  const response = await fetch(path, {
    headers: behind.headers(),
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (!response.ok || response.body === null) throw await refusal(behind, response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) throw awayError(behind, "the connection ended");
    text += value;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events)
      if (event.startsWith("data: ")) onData(event.slice("data: ".length));
  }
}
