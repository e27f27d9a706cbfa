import type { ErrorRow } from "./catalogue.ts";

export const SERVER_ERRORS = {
  "UPB-PUBLISH-EXISTS": {
    stage: "publish",
    text: "This version is in the channel already",
    causes: ["it was published before"],
    remedy: "Publish under a new version; a published one never changes",
    retry: "user",
  },
  "UPB-PUBLISH-UNWRITABLE": {
    stage: "publish",
    text: "This cannot be written into signed metadata",
    causes: ["a name that other clients read differently", "fewer keys than the threshold"],
    remedy: "Use plain names, and as many different keys as the role asks for",
    retry: "user",
  },
  "UPB-PUBLISH-NOT-LOADED": {
    stage: "publish",
    text: "The current metadata of this role is not at hand",
    causes: ["the repository was not refreshed before"],
    remedy: "Repeat the command; it reads the repository first",
    retry: "transient",
  },
} as const satisfies Record<string, ErrorRow>;
