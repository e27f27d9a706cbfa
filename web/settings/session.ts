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
import { type Behind, callApi } from "../kit/api.ts";

const KEY_HEADER: typeof SESSION_KEY_HEADER = "x-upbeat-key";
const REMEMBERED = "upbeat-key";

/** All open pages of this browser share the session. */
export const pageProcess: Behind = {
  headers: () => ({ [KEY_HEADER]: localStorage.getItem(REMEMBERED) ?? "" }),
  away: {
    code: "UPB-PAGE-NO-SESSION",
    text: "The process behind this page does not answer",
    remedy: "Open the page again with `upbeat settings`",
  },
};

let opening: Promise<Session> | undefined;

/** Once a page, however often it is asked for: a link cannot be used twice. */
export function openSession(): Promise<Session> {
  opening ??= exchange();
  return opening;
}

async function exchange(): Promise<Session> {
  const token = /^#open=(.+)$/.exec(location.hash)?.[1];
  if (token === undefined) return await callApi<Session>(pageProcess, "GET", "/api/session");
  history.replaceState(undefined, "", location.pathname);
  const request: SessionRequest = { token };
  const session = await callApi<Session>(pageProcess, "POST", "/api/session", request);
  localStorage.setItem(REMEMBERED, session.key);
  return session;
}
