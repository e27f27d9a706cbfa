/** `upbeat completion SHELL`: a script made from the command tree, so that it cannot lag behind. */
import { z } from "zod";
import { type Command, command, type Group } from "../command.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { treeWords } from "../completion/words.ts";
import { zshCompletion } from "../completion/zsh.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
const WRITERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `nodes` is asked when it runs, because this command is itself part of the tree. */
export const completionCommand = (nodes: () => readonly (Command | Group)[]): Command =>
  command({
    name: "completion",
    args: { "<shell>": { text: "bash, zsh or fish", choices: SHELLS } },
    summary: "Print a completion script for a shell",
    examples: [
      ["source <(upbeat completion bash)", "completes in this shell"],
      [
        "upbeat completion fish > ~/.config/fish/completions/upbeat.fish",
        "completes in every fish",
      ],
    ],
    input: z.object({ shell: z.enum(SHELLS) }),
    run: async ({ shell }) => {
      const script = WRITERS[shell](treeWords(nodes()));
      return {
        schema: "upbeat.completion/1",
        data: { shell, script },
        text: () => script,
      };
    },
  });
