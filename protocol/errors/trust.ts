import type { ErrorRow } from "./catalogue.ts";

export const TRUST_ERRORS = {
  "UPB-TRUST-NOT-CANONICAL": {
    stage: "publish",
    text: "The value has no canonical JSON form",
    causes: ["a fraction or an integer above 2^53-1", "text with a broken character"],
    remedy: "Use only whole numbers and valid Unicode text in it, then run the command again",
    retry: "configuration",
  },
  "UPB-TRUST-MALFORMED": {
    stage: "verify",
    text: "The signed metadata is malformed",
    causes: ["the server sent something else, e.g. an error page", "it was changed on its way"],
    remedy: "Run `upbeat check` again; if it repeats, tell the server's administrator",
    retry: "server",
  },
  "UPB-TRUST-SIGNATURES": {
    stage: "verify",
    text: "The metadata is not signed by enough of the keys that may sign it",
    causes: [
      "it was changed on its way or on the server",
      "it was signed by another role's key or by a key that was rotated out",
    ],
    remedy:
      "Nothing was accepted. Publisher: see which keys count with `upbeat keys show` and publish again",
    retry: "server",
  },
  "UPB-TRUST-EXPIRED": {
    stage: "verify",
    text: "The metadata has expired",
    causes: [
      "the server's signer has been down longer than the metadata lives",
      "somebody holds back newer metadata",
      "the clock of this machine is ahead",
    ],
    remedy: "Compare the clock with `date`; if it is right, have the server's signer started again",
    retry: "server",
  },
  "UPB-TRUST-ROLLBACK": {
    stage: "verify",
    text: "The metadata is older than what this machine accepted before",
    causes: ["an old copy of the repository is served", "somebody wants an old version back"],
    remedy:
      "Nothing was accepted. Have the server's newest repository restored, then `upbeat check`",
    retry: "server",
  },
  "UPB-TRUST-MIXED": {
    stage: "verify",
    text: "The metadata files do not belong to one set",
    causes: ["files of two states of the repository were mixed", "a mirror is half updated"],
    remedy: "Run `upbeat check` again in some minutes; if it repeats, tell the administrator",
    retry: "server",
  },
  "UPB-TRUST-HASH": {
    stage: "verify",
    text: "The bytes are not the ones that were signed",
    causes: ["they were changed on their way or on the server", "no known hash was signed"],
    remedy: "Nothing was accepted. Run `upbeat check` again; if it repeats, tell the administrator",
    retry: "server",
  },
  "UPB-TRUST-LENGTH": {
    stage: "verify",
    text: "The length is not the one that was signed, or over the limit",
    causes: ["the answer was cut or padded", "a server sends without end"],
    remedy: "Nothing was accepted. Run `upbeat check` again; if it repeats, tell the administrator",
    retry: "server",
  },
  "UPB-TRUST-CLOCK": {
    stage: "verify",
    text: "The clock of this machine is behind a time that it has already seen",
    causes: ["the clock was set back", "the clock's battery is empty"],
    remedy: "Set the clock, e.g. with `timedatectl set-ntp true`, then run `upbeat check`",
    retry: "user",
  },
  "UPB-TRUST-ROOT": {
    stage: "verify",
    text: "The root that this machine was set up with is not valid",
    causes: ["the file was changed or damaged", "the wrong file was shipped"],
    remedy: "Enrol the machine again with `upbeat device enrol`",
    retry: "local-damage",
  },
  "UPB-TRUST-TOO-MANY-ROOTS": {
    stage: "verify",
    text: "The server offers more new roots than one check follows",
    causes: ["this machine was away for very long", "a server sends roots without end"],
    remedy: "Run `upbeat check` again: what was verified is kept",
    retry: "transient",
  },
  "UPB-TRUST-MISSING": {
    stage: "verify",
    text: "The server does not have a metadata file that it must have",
    causes: ["the address is not that of an update server", "a mirror is half updated"],
    remedy: "Check the server's address with `upbeat status`, then run `upbeat check` again",
    retry: "server",
  },
  "UPB-TRUST-ROLE": {
    stage: "verify",
    text: "A delegated role cannot be used",
    causes: ["the snapshot does not list it", "delegations lead on without end"],
    remedy: "Publisher: see the roles with `upbeat keys show` and publish again",
    retry: "server",
  },
  "UPB-TRUST-NO-SUCH-TARGET": {
    stage: "verify",
    text: "An update is listed, but no role vouches for it",
    causes: ["it was retired while this machine was checking", "the repository is incomplete"],
    remedy: "Run `upbeat check` again; if it repeats, the publisher must publish it again",
    retry: "server",
  },
  "UPB-TRUST-WRONG-SOFTWARE": {
    stage: "verify",
    text: "The signed file describes another update than the one asked for",
    causes: ["a manifest was published under another update's name"],
    remedy: "Nothing was accepted. The publisher must publish it again with `upbeat publish`",
    retry: "server",
  },
  "UPB-TRUST-STORE-FULL": {
    stage: "verify",
    text: "The disk is full: verified metadata could not be kept",
    causes: ["no space or no inodes are left, or a quota is reached"],
    remedy: "Free some space (`df -h` shows where it is missing), then run `upbeat check`",
    retry: "local-damage",
  },
  "UPB-TRUST-STORE-UNWRITABLE": {
    stage: "verify",
    text: "Verified metadata could not be kept",
    causes: ["the folder is read-only or belongs to another account", "the disk has failed"],
    remedy:
      "Make the folder writable for the service (`ls -ld` shows its owner), then `upbeat check`",
    retry: "local-damage",
  },
} as const satisfies Record<string, ErrorRow>;
