/** Puts the Settings page's process together: HTTP on loopback, and the socket that gives links. */

import { readPages } from "../../content/browser/builtPages.ts";
import { type Access, includesAccess, LinkRequest } from "../../protocol/settingsPageApi.ts";
import { checked, listenLocally, localApi } from "../localServer.ts";
import type { DevicePaths } from "../paths.ts";
import { settingsSocket } from "../settingsSocket.ts";
import { accessOf } from "./access.ts";
import { settingsApp } from "./app.ts";
import { live } from "./live.ts";
import { sessions } from "./sessions.ts";
import { troubleshooting } from "./troubleshooting.ts";

export interface RunningSettings {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly socket: string;
  /** How long nobody has looked or asked. */
  idleMs(): number;
  stop(): Promise<void>;
}

/** Errors: UPB-PAGE-NOT-BUILT, UPB-PAGE-NO-FOLDER, UPB-LOCAL-SOCKET-IN-USE. */
export async function startSettings(
  paths: DevicePaths,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number,
): Promise<RunningSettings> {
  const socket = settingsSocket(paths, env);
  const pages = readPages("settings");
  const open = sessions(now);
  const view = live(paths.root);
  let address = "";
  let usedMs = now();
  const used = () => {
    usedMs = now();
  };

  const app = settingsApp({
    paths,
    pages,
    sessions: open,
    live: view,
    troubleshooting: troubleshooting(paths, env),
    address: () => address,
    used,
  });
  // Never any other interface: the page is for people at this machine.
  address = new URL(await app.listen({ host: "127.0.0.1", port: 0 })).host;

  const links = localApi({ "UPB-LOCAL-BAD-REQUEST": 400 });
  links.post("/v1/links", async (request) => {
    used();
    const { atMost } = checked(LinkRequest, request.body, "the link");
    const access = least(accessOf(paths), atMost);
    const { token, expiresMs } = open.newLink(access);
    // After `#`: browsers send it to nobody and it stands in no log.
    return { url: `http://${address}/#open=${token}`, access, expiresMs };
  });
  await listenLocally(links, socket);

  return {
    address,
    socket,
    idleMs: () => (view.watchers() > 0 ? 0 : now() - usedMs),
    async stop() {
      await links.close();
      await app.close();
    },
  };
}

const least = (one: Access, other: Access): Access => (includesAccess(one, other) ? other : one);
