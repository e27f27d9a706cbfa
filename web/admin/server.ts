/** The update server behind the console: what a page asks of it, and when that is asked again. */
import { keepPreviousData, type QueryClient, useQuery } from "@tanstack/react-query";
import type { ConsoleChange } from "../../protocol/admin/console.ts";
import { type Behind, callApi } from "../kit/api.ts";

export type Topic = ConsoleChange["topics"][number];

/** The session is in a cookie that scripts cannot read: there is nothing to add. */
export const server: Behind = {
  headers: () => ({}),
  away: {
    code: "UPB-CLI-SERVER-AWAY",
    text: "The server does not answer",
    remedy: "Check that `upbeat server` runs and can be reached; it is tried again by itself",
  },
};

declare module "@tanstack/react-query" {
  interface Register {
    queryMeta: { readonly topics?: readonly Topic[] };
  }
}

/** An answer that is asked for again when the server says that something of these topics changed. */
export const useServer = <Answer>(
  path: string,
  topics: readonly Topic[],
  options: { readonly enabled?: boolean; readonly keep?: boolean } = {},
) =>
  useQuery({
    queryKey: ["server", path],
    queryFn: () => callApi<Answer>(server, "GET", `/api/v1/${path}`),
    meta: { topics },
    enabled: options.enabled ?? true,
    // While the next page is fetched the one before stays, so that nothing jumps.
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  });

export function askAgain(queries: QueryClient, changed: readonly Topic[]): void {
  void queries.invalidateQueries({
    predicate: ({ meta }) => (meta?.topics ?? []).some((topic) => changed.includes(topic)),
  });
}

/** Query parameters of what is given; what is not given, or empty, is left out. */
export function queryText(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
