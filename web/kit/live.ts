/**
 * A live value from server-sent events, read with `fetch` because `EventSource` cannot send the
 * header that proves the session. Connects again by itself; the last value stays until then.
 */
import { useEffect, useState } from "react";
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

export function useLive<T>(path: string, behind: Behind): LiveValue<T> {
  const [live, setLive] = useState<LiveValue<T>>({ value: LOADING, connected: true });
  useEffect(() => {
    const end = new AbortController();
    void keepReading<T>(path, behind, end.signal, setLive);
    return () => end.abort();
  }, [path, behind]);
  return live;
}

async function keepReading<T>(
  path: string,
  behind: Behind,
  signal: AbortSignal,
  show: (change: (before: LiveValue<T>) => LiveValue<T>) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await readEvents(path, behind, signal, (data) =>
        show(() => ({ value: { state: "ready", value: JSON.parse(data) as T }, connected: true })),
      );
    } catch (error) {
      if (signal.aborted) return;
      const known = error instanceof ReportedError ? error : awayError(behind, String(error));
      const failed = { state: "failed", error: known.report } as const;
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
