import type { ErrorRow } from "./catalogue.ts";

export const CLI_ERRORS = {
  "UPB-INTERNAL-BUG": {
    stage: "service",
    text: "The program met a case that it was not written for",
    causes: ["a bug in Upbeat"],
    remedy: "Report it with the output of the same command with --json",
    retry: "local-damage",
  },
} as const satisfies Record<string, ErrorRow>;
