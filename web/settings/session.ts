/**
 * The session of this browser with the page's process. The link that opened the page carries its
 * token after `#`; it is exchanged once for a cookie (which scripts cannot read) and a key (which
 * only this page's address can), and leaves the address bar.
 */
import type {
  DeviceView,
  SESSION_KEY_HEADER,
  Session,
  SessionRequest,
} from "../../protocol/settingsPageApi.ts";
import { type Behind, callApi } from "../kit/api.ts";
import { type LiveSource, liveSource } from "../kit/liveSource.ts";

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

/** An open page: who looks, and the machine that is looked at. */
export interface OpenPage {
  readonly session: Session;
  readonly device: LiveSource<DeviceView>;
}

let opening: Promise<OpenPage> | undefined;

/** Once a page, however often it is asked for: a link cannot be used twice. */
export function openPage(): Promise<OpenPage> {
  opening ??= exchange().then((session) => ({
    session,
    device: liveSource<DeviceView>("/api/live", pageProcess),
  }));
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
