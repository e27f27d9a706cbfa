/** Signed in or not: the token is given once, and the server keeps the session in a cookie. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { ConsoleSession, SessionRequest } from "../../protocol/admin/console.ts";
import { callApi, reportOf } from "../kit/api.ts";
import { server } from "./server.ts";

const PATH = "/api/v1/session";
export const SESSION_KEY = ["session"] as const;
/** No session was ever there, or it has ended: by itself, by hand, or with the server. */
const SIGNED_OUT: readonly string[] = ["UPB-SERVER-UNAUTHORISED", "UPB-SERVER-SIGNED-OUT"];
const AGAIN_MS = 3_000;

/** Null: signed out. */
export const useSession = () =>
  useQuery({
    queryKey: SESSION_KEY,
    queryFn: async (): Promise<ConsoleSession | null> => {
      try {
        return await callApi<ConsoleSession>(server, "GET", PATH);
      } catch (error) {
        if (isSignedOut(error)) return null;
        throw error;
      }
    },
    // While the server is away the page looks for it, so that it opens by itself.
    refetchInterval: ({ state }) => (state.status === "error" ? AGAIN_MS : false),
    staleTime: Number.POSITIVE_INFINITY,
  });

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (request: SessionRequest) => callApi<ConsoleSession>(server, "POST", PATH, request),
    onSuccess: (session) => queries.setQueryData(SESSION_KEY, session),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => callApi(server, "DELETE", PATH),
    onSuccess: () => {
      // Nothing of what was seen stays in this browser.
      queries.removeQueries({ queryKey: ["server"] });
      queries.setQueryData(SESSION_KEY, null);
    },
  });
}

export const isSignedOut = (error: unknown): boolean => saysSignedOut(reportOf(error).code);

export const saysSignedOut = (code: string): boolean => SIGNED_OUT.includes(code);

const SessionContext = createContext<ConsoleSession | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useConsole(): ConsoleSession {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("outside of the frame");
  return session;
}
