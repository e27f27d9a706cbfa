import type { ErrorRow } from "./catalogue.ts";

export const DEVICE_ERRORS = {
  "UPB-LOCAL-NO-SUCH-CALL": {
    stage: "service",
    text: "The service has no such call",
    causes: ["the command line tool and the service are of different versions"],
    remedy: "Restart the services with `upbeat services restart`",
    retry: "configuration",
  },
  "UPB-LOCAL-SOCKET-IN-USE": {
    stage: "service",
    text: "Another process already answers on this socket",
    causes: ["the service is running already"],
    remedy: "See which with `upbeat services`, and stop it before starting another",
    retry: "user",
  },
  "UPB-LOCAL-NOT-RUNNING": {
    stage: "service",
    text: "The service does not answer",
    causes: ["it is stopped", "it crashed", "this account may not use its socket"],
    remedy: "Look at `upbeat services` and start it with `upbeat services start`",
    retry: "user",
  },
  "UPB-LOCAL-TIMEOUT": {
    stage: "service",
    text: "The service did not answer in time",
    causes: ["it hangs", "the machine is overloaded"],
    remedy: "Try again; if it repeats, restart it with `upbeat services restart`",
    retry: "transient",
  },
  "UPB-LOCAL-BAD-ANSWER": {
    stage: "service",
    text: "The service gave an answer that cannot be read",
    causes: ["the command line tool and the service are of different versions"],
    remedy: "Restart the services with `upbeat services restart`",
    retry: "configuration",
  },
  "UPB-LOCAL-BAD-REQUEST": {
    stage: "service",
    text: "The service cannot read this request",
    causes: ["the command line tool and the service are of different versions"],
    remedy: "Restart the services with `upbeat services restart`",
    retry: "configuration",
  },
  "UPB-SERVICE-ALREADY-RUNNING": {
    stage: "service",
    text: "Another process already works in this state folder",
    causes: ["the service was started twice"],
    remedy: "Look at `upbeat services`; stop the named process before starting another",
    retry: "user",
  },
  "UPB-SERVICE-STATE-FOLDER": {
    stage: "service",
    text: "The service cannot write its state",
    causes: ["the folder belongs to another account", "the file system is read-only or full"],
    remedy: "Make the folder writable for the account of the service, then `upbeat services start`",
    retry: "local-damage",
  },
  "UPB-SERVICE-DISABLED": {
    stage: "service",
    text: "The service is disabled",
    causes: ["its start-up type was set with `upbeat services disable`"],
    remedy: "Allow it again with `upbeat services enable`",
    retry: "configuration",
  },
} as const satisfies Record<string, ErrorRow>;
