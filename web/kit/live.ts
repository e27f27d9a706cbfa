/** Server-sent events for as long as a component is there. */
import { useEffect, useState } from "react";
import type { Behind } from "./api.ts";
import { keepReading, type Reading } from "./liveSource.ts";

/** Calls back with every event; true while there is a connection. The calls must stay the same. */
export function useEvents(path: string, behind: Behind, calls: Reading): boolean {
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    const end = new AbortController();
    void keepReading(path, behind, end.signal, {
      data: (text) => {
        setConnected(true);
        calls.data(text);
      },
      lost: (error) => {
        setConnected(false);
        calls.lost(error);
      },
    });
    return () => end.abort();
  }, [path, behind, calls]);
  return connected;
}
