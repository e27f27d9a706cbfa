import type { ErrorRow } from "./catalogue.ts";

export const SETTINGS_PAGE_ERRORS = {
  "UPB-PAGE-LINK": {
    stage: "service",
    text: "This link was used before or has run out",
    causes: ["a link opens the page once", "it is older than two minutes"],
    remedy: "Make a new link with `upbeat settings`",
    retry: "user",
  },
  "UPB-PAGE-NO-SESSION": {
    stage: "service",
    text: "The Settings page is not open in this browser",
    causes: [
      "the page's process ended because nobody looked at it, and was started anew",
      "the page was opened from a bookmark",
    ],
    remedy: "Open it again with `upbeat settings`",
    retry: "user",
  },
  "UPB-PAGE-FOREIGN": {
    stage: "service",
    text: "The request does not come from the Settings page itself",
    causes: ["another web page tried to use it", "it was opened under another name or port"],
    remedy: "Open it with the link that `upbeat settings` prints, as it is",
    retry: "user",
  },
  "UPB-PAGE-NOT-ALLOWED": {
    stage: "service",
    text: "This account may look at that but not change it",
    causes: [
      "the page was opened for reading only",
      "only an administrator of this machine may change it",
    ],
    remedy: "Open the page as an administrator: `sudo upbeat settings`",
    retry: "user",
  },
  "UPB-PAGE-NOT-BUILT": {
    stage: "set-up",
    text: "The files of the Settings page are not there",
    causes: ["this is a checkout in which they were never built", "the installation is incomplete"],
    remedy: "In a checkout run `npm run build`; otherwise install Upbeat again",
    retry: "configuration",
  },
  "UPB-PAGE-NO-START": {
    stage: "service",
    text: "The process of the Settings page did not start",
    causes: ["the machine is out of memory or overloaded", "the installation is incomplete"],
    remedy: "Read the reason above, then try `upbeat settings` again",
    retry: "transient",
  },
  "UPB-SERVICE-MANAGER-NO-START": {
    stage: "service",
    text: "The service manager did not start",
    causes: [
      "this account may not run it",
      "its state folder cannot be written",
      "another one is running and hangs",
    ],
    remedy: "Read its last words above, then start it with `sudo upbeat device run`",
    retry: "local-damage",
  },
  "UPB-PAGE-NO-FOLDER": {
    stage: "service",
    text: "There is no folder in which this account can run the Settings page",
    causes: ["XDG_RUNTIME_DIR is not set, as after `su`", "the folder belongs to another account"],
    remedy: "Log in as usual, or run `sudo upbeat settings`",
    retry: "configuration",
  },
} as const satisfies Record<string, ErrorRow>;
