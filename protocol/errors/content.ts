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
  "UPB-PAYLOAD-INVALID": {
    stage: "verify",
    text: "The list of the update's files is not valid",
    causes: ["it was written by another tool", "it says something else than the manifest"],
    remedy: "Publish the update again with `upbeat publish`",
    retry: "server",
  },
  "UPB-DELIVERY-INVALID": {
    stage: "verify",
    text: "The description of how the update's bytes are stored is not valid",
    causes: ["it was written by another tool", "it belongs to another update"],
    remedy: "Publish the update again with `upbeat publish`",
    retry: "server",
  },
  "UPB-TREE-NAME": {
    stage: "verify",
    text: "The tree holds a name that is not allowed",
    causes: [
      "the folder holds a file with an unusual name",
      "the manifest was made by another tool",
    ],
    remedy: "Rename the file that is named in the detail and publish again",
    retry: "server",
  },
  "UPB-TREE-DUPLICATE": {
    stage: "verify",
    text: "The tree holds two names that can be taken for the same",
    causes: ["they differ only in upper and lower case or in how an accent is written"],
    remedy: "Rename one of the two and publish again",
    retry: "server",
  },
  "UPB-TREE-LINK": {
    stage: "verify",
    text: "The tree holds a link that leads out of it",
    causes: [
      "an absolute link",
      "a link with too many .. in it",
      "a file that is used as a folder",
    ],
    remedy: "Make the link relative and keep it inside the folder, then publish again",
    retry: "server",
  },
  "UPB-TREE-KIND": {
    stage: "publish",
    text: "The folder holds something that is not a file, a link or a folder",
    causes: ["a named pipe, a socket or a device was left in it"],
    remedy: "Remove what is named and run `upbeat publish` again",
    retry: "user",
  },
  "UPB-TREE-UNREADABLE": {
    stage: "publish",
    text: "A part of the folder cannot be read",
    causes: ["it does not exist", "this account may not read it", "it changed meanwhile"],
    remedy: "Check the path and its permissions, then run `upbeat publish` again",
    retry: "user",
  },
  "UPB-TREE-ORDER": {
    stage: "verify",
    text: "The list of the tree is not sorted",
    causes: ["the manifest was made by another tool"],
    remedy: "Publish the update again with `upbeat publish`",
    retry: "server",
  },
  "UPB-TREE-TOO-MANY": {
    stage: "verify",
    text: "The tree holds too many entries",
    causes: ["the folder is not what was meant to be published"],
    remedy: "Publish a smaller folder, or split it into several products",
    retry: "server",
  },
  "UPB-DELTA-MALFORMED": {
    stage: "verify",
    text: "A patch cannot be used",
    causes: [
      "it was damaged after it was signed",
      "it was made by a newer Upbeat",
      "a bug in Upbeat",
    ],
    remedy:
      "Nothing: whole files are downloaded instead; run `upbeat troubleshoot` if it happens again",
    retry: "server",
  },
  "UPB-DELTA-WRONG-BASE": {
    stage: "verify",
    text: "The installed files are not the ones that the patch was made for",
    causes: ["an installed file was changed or damaged", "the disk lost data"],
    remedy: "Nothing: whole files are downloaded instead; `upbeat verify` shows what is damaged",
    retry: "local-damage",
  },
} as const satisfies Record<string, ErrorRow>;
