import type { ErrorRow } from "./catalogue.ts";

/** Everything that can go wrong between here and a server; raised by `content/boundedFetch.ts`. */
export const FETCH_ERRORS = {
  "UPB-FETCH-UNREACHABLE": {
    stage: "download",
    text: "The server cannot be reached",
    causes: ["the network is down", "the server is down", "its address or certificate is wrong"],
    remedy:
      "Check the network and the address that `upbeat status` shows; it is tried again by itself",
    retry: "transient",
  },
  "UPB-FETCH-TIMED-OUT": {
    stage: "download",
    text: "The server stopped answering",
    causes: ["the network went down", "the server hangs"],
    remedy: "Nothing to do now: it is tried again by itself; `upbeat check` tries at once",
    retry: "transient",
  },
  "UPB-FETCH-TOO-SLOW": {
    stage: "download",
    text: "The server sends too slowly",
    causes: ["the network is overloaded", "somebody holds the transfer up on purpose"],
    remedy: "Try from another network; it is tried again by itself",
    retry: "transient",
  },
  "UPB-FETCH-TRUNCATED": {
    stage: "download",
    text: "The answer ended before it was complete",
    causes: ["the connection broke", "the server promised more bytes than it has"],
    remedy: "Nothing to do now: it is tried again by itself; `upbeat check` tries at once",
    retry: "transient",
  },
  "UPB-FETCH-TOO-LONG": {
    stage: "download",
    text: "The answer is longer than it may be",
    causes: ["the address is not that of an update server", "a server sends without end"],
    remedy: "Check the server's address with `upbeat status` and tell its administrator",
    retry: "server",
  },
  "UPB-FETCH-SERVER-BUSY": {
    stage: "download",
    text: "The server cannot answer now",
    causes: ["it is overloaded or being maintained"],
    remedy: "Wait as long as it asks for; it is tried again by itself",
    retry: "transient",
  },
  "UPB-FETCH-REFUSED": {
    stage: "download",
    text: "The server refuses the request",
    causes: ["the address is not that of an update server", "something in between blocks it"],
    remedy: "Check the server's address with `upbeat status` and ask its administrator",
    retry: "server",
  },
  "UPB-FETCH-REDIRECT": {
    stage: "download",
    text: "The server sends us to another place",
    causes: ["a sign-in page of the network", "the server has moved"],
    remedy: "Sign in to the network, or enrol at the new address with `upbeat device enrol`",
    retry: "configuration",
  },
  "UPB-FETCH-ENCODED": {
    stage: "download",
    text: "The answer was compressed on its way although that was not asked for",
    causes: ["a proxy or a mirror compresses every answer again"],
    remedy: "Switch compression off for /content/ on the named server, mirror or proxy",
    retry: "configuration",
  },
} as const satisfies Record<string, ErrorRow>;
