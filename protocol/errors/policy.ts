import type { ErrorRow } from "./catalogue.ts";

export const POLICY_ERRORS = {
  "UPB-POLICY-INVALID": {
    stage: "evaluate",
    text: "The offer policy of the channel cannot be used",
    causes: ["a tool other than `upbeat` wrote it", "it was written for another channel"],
    remedy:
      "Nothing of this channel is offered until it is right. Administrator: write it again with `upbeat rollouts` or `upbeat policy set`",
    retry: "server",
  },
  "UPB-POLICY-OLD": {
    stage: "evaluate",
    text: "The offer policy is older than the one that this machine has read before",
    causes: ["it was signed by hand", "the repository was made anew from an old copy"],
    remedy:
      "Nothing of this channel is offered until the policy is past the known revision. Administrator: change it with `upbeat policy set` until it is",
    retry: "server",
  },
  "UPB-POLICY-EDIT": {
    stage: "publish",
    text: "The policy cannot be changed like this",
    causes: ["the id or the update is in use already", "what is asked for contradicts its state"],
    remedy: "Look at it with `upbeat rollouts list`, `upbeat holds list` or `upbeat policy list`",
    retry: "user",
  },
  "UPB-POLICY-WIDENS": {
    stage: "publish",
    text: "More machines would be offered the update",
    causes: ["its rollout has not reached every machine yet, is halted, or is optional"],
    remedy:
      "If that is meant, say it with `--yes`; to stop the update, use `upbeat rollouts halt` instead",
    retry: "user",
  },
  "UPB-POLICY-VERSION": {
    stage: "evaluate",
    text: "The offer policy is written in a version that this Upbeat does not know",
    causes: ["Upbeat on this machine is older than what the policy was written with"],
    remedy:
      "Nothing of this channel is offered, because what is not understood may be a hold. Update Upbeat on this machine",
    retry: "local-damage",
  },
} as const satisfies Record<string, ErrorRow>;
