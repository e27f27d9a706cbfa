/** `upbeat inhibit`: no restart while a command runs. */
import { spawn } from "node:child_process";
import { z } from "zod";
import { inhibitRestart, releaseInhibitor } from "../../device/deviceCalls.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { INHIBIT_DEFAULT_MS, INHIBIT_MAX_MS } from "../../protocol/inhibitors.ts";
import { command, type Session } from "../command.ts";
import { duration } from "../screen/format.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { Span } from "../span.ts";

export const inhibit = command({
  name: "inhibit",
  args: { "<command...>": { text: "what to run, after --" } },
  summary: "Run a command during which this machine is not restarted",
  details:
    "The restart waits until the command ends or the time is over, but never beyond the update's\ndeadline. Downloads and installs that need no restart go on.",
  options: [
    ROOT_OPTION,
    { flags: "--why <text>", text: "what would be lost; people read it in `upbeat status`" },
    { flags: "--for <span>", text: "at most so long, e.g. 30min or 8h (default 2h, at most 24h)" },
    { flags: "--who <name>", text: "who objects (default the command's name)" },
  ],
  examples: [
    [
      'upbeat inhibit --why "the nightly backup" --for 3h -- rsync -a /srv /mnt',
      "ends with the command",
    ],
  ],
  input: z.object({
    ...RootInput,
    command: z.array(z.string()).min(1),
    why: z.string().trim().min(1).max(200),
    for: Span.pipe(z.number().max(INHIBIT_MAX_MS, "24h at most")).optional(),
    who: z.string().trim().min(1).max(200).optional(),
  }),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    const [program = "", ...args] = input.command;
    const held = await inhibitRestart(root, {
      who: (input.who ?? program).slice(0, 200),
      why: input.why,
      forMs: input.for ?? INHIBIT_DEFAULT_MS,
    });
    const startedMs = session.world.now();
    let end: string | undefined;
    try {
      end = await runBeside(session, program, args);
    } finally {
      await releaseInhibitor(root, held.id);
    }
    if (session.world.interrupted.aborted) {
      throw new UpbeatError("UPB-CLI-INTERRUPTED", { object: `upbeat inhibit ${program}` });
    }
    if (end !== undefined) {
      throw new UpbeatError("UPB-CLI-COMMAND-FAILED", { object: program, detail: end });
    }
    return {
      schema: "upbeat.inhibited/1",
      data: { inhibitor: held },
      text: (style) =>
        style.dim(`Restarts are free again after ${duration(session.world.now() - startedMs)}.`),
    };
  },
});

/** Undefined: it ended well. On a terminal it gets the terminal itself. */
function runBeside(
  { world, json }: Session,
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  const direct = world.out.isTerminal && !json;
  const child = spawn(program, args, {
    cwd: world.cwd,
    env: { ...world.env },
    stdio: direct ? "inherit" : ["inherit", "pipe", "pipe"],
  });
  const out = json ? world.err : world.out;
  child.stdout?.on("data", (chunk: Buffer) => out.write(chunk.toString("utf8")));
  child.stderr?.on("data", (chunk: Buffer) => world.err.write(chunk.toString("utf8")));
  const stop = (): void => void child.kill("SIGTERM");
  world.interrupted.addEventListener("abort", stop, { once: true });
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      world.interrupted.removeEventListener("abort", stop);
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? `exit status ${code}` : `ended by ${signal}`);
    });
  });
}
