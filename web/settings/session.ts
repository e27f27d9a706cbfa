/**
 * The session of this browser with the page's process. The link that opened the page carries its
 * token after `#`; it is exchanged once for a cookie (which scripts cannot read) and a key (which
 * only this page's address can), and leaves the address bar.
 */
import type {
  SESSION_KEY_HEADER,
  Session,
  SessionRequest,
} from "../../protocol/settingsPageApi.ts";
import { callApi, type RequestHeaders } from "../kit/api.ts";

const KEY_HEADER: typeof SESSION_KEY_HEADER = "x-upbeat-key";
const REMEMBERED = "upbeat-key";

/** For every request: all open pages of this browser share the session. */
export const sessionHeaders: RequestHeaders = () => ({
  [KEY_HEADER]: localStorage.getItem(REMEMBERED) ?? "",
});

let opening: Promise<Session> | undefined;

/** Once a page, however often it is asked for: a link cannot be used twice. */
export function openSession(): Promise<Session> {
  opening ??= exchange();
  return opening;
}

async function exchange(): Promise<Session> {
  const token = /^#open=(.+)$/.exec(location.hash)?.[1];
  if (token === undefined) return await callApi<Session>(sessionHeaders, "GET", "/api/session");
  history.replaceState(undefined, "", location.pathname);
  const request: SessionRequest = { token };
  const session = await callApi<Session>(sessionHeaders, "POST", "/api/session", request);
  localStorage.setItem(REMEMBERED, session.key);
  return session;
}
