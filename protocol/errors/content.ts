import type { ErrorRow } from "./catalogue.ts";

export const CONTENT_ERRORS = {
  "UPB-MANIFEST-VERSION": {
    stage: "evaluate",
    text: "The manifest has a version that this program does not know",
    causes: ["the update was published by a newer Upbeat"],
    remedy: "Update Upbeat on this machine first, then check again",
    retry: "configuration",
  },
  "UPB-MANIFEST-INVALID": {
    stage: "evaluate",
    text: "The manifest is not valid",
    causes: ["it was written by another tool", "a field is missing or has the wrong type"],
    remedy: "Publish the update again with `upbeat publish`",
    retry: "server",
  },
} as const satisfies Record<string, ErrorRow>;
