/**
 * A live value from server-sent events, read with `fetch` because `EventSource` cannot send the
 * header that proves the session. Connects again by itself; the last value stays until then.
 */
import { useEffect, useState } from "react";
import { type RequestHeaders, reportOf } from "./api.ts";
import { LOADING, type Loaded } from "./loaded.ts";

const AGAIN_MS = 1_000;
/** Four heartbeats of the server: the computer slept, or the process is gone. */
const SILENCE_MS = 60_000;

export interface LiveValue<T> {
  readonly value: Loaded<T>;
  /** False: what is shown may be old. */
  readonly connected: boolean;
}

export function useLive<T>(path: string, headers: RequestHeaders): LiveValue<T> {
  const [live, setLive] = useState<LiveValue<T>>({ value: LOADING, connected: true });
  useEffect(() => {
    const end = new AbortController();
    void keepReading<T>(path, headers, end.signal, setLive);
    return () => end.abort();
  }, [path, headers]);
  return live;
}

async function keepReading<T>(
  path: string,
  headers: RequestHeaders,
  signal: AbortSignal,
  show: (change: (before: LiveValue<T>) => LiveValue<T>) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await readEvents(path, headers, signal, (data) =>
        show(() => ({ value: { state: "ready", value: JSON.parse(data) as T }, connected: true })),
      );
    } catch (error) {
      if (signal.aborted) return;
      const failed = { state: "failed", error: reportOf(error) } as const;
      show((before) => ({
        value: before.value.state === "ready" ? before.value : failed,
        connected: false,
      }));
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** HTML Standard, 9.2.6, as far as our own server uses it: one line of `data:` an event. */
async function readEvents(
  path: string,
  headers: RequestHeaders,
  signal: AbortSignal,
  onData: (data: string) => void,
): Promise<void> {
  const silence = new AbortController();
  const response = await fetch(path, {
    headers: headers(),
    signal: AbortSignal.any([signal, silence.signal]),
  });
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) throw new Error("the connection ended");
    text += value;
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events)
      if (event.startsWith("data: ")) onData(event.slice("data: ".length));
  }
}
