/**
 * Runs one command line in a world and returns the exit code.
 *
 * stdout gets the answer and nothing else; stderr gets progress, notes and errors. With --json an
 * error is one object on stdout too (`upbeat.error/1`), so that a script reads one place.
 */
import { CommanderError } from "commander";
import { reportError, UpbeatError } from "../protocol/errors/error.ts";
import type { Answer, Session } from "./command.ts";
import { EXIT, type ExitCode, exitCodeOf } from "./exitCodes.ts";
import { buildProgram } from "./program.ts";
import { progressOn } from "./screen/progress.ts";
import { showError } from "./screen/showError.ts";
import { styleFor } from "./screen/style.ts";
import type { World } from "./world.ts";

export async function run(world: World): Promise<ExitCode> {
  const json = world.args.includes("--json");
  const progress = progressOn(world);
  let exitCode: ExitCode = EXIT.ok;
  const answer = ({ schema, data, text, exitCode: code = EXIT.ok }: Answer) => {
    exitCode = code;
    const shown = json
      ? JSON.stringify({ schema, ...data }, undefined, world.out.isTerminal ? 2 : undefined)
      : text(styleFor(world.out, world.env));
    world.out.write(shown.endsWith("\n") || shown === "" ? shown : `${shown}\n`);
  };
  const session: Session = {
    world,
    json,
    progress,
    answer,
    note: (text) => world.err.write(`${text}\n`),
  };
  try {
    const program = buildProgram(world, async (command, raw) => {
      const last = await command.run(raw, session);
      progress.end("done");
      if (last !== undefined) answer(last);
    });
    await program.parseAsync([...world.args], { from: "user" });
    return exitCode;
  } catch (error) {
    progress.end("failed");
    // Commander has already printed its help or version.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === "commander.help") return EXIT.usage;
    return tell(world, json, asOurs(error, world));
  }
}

function tell(world: World, json: boolean, error: unknown): ExitCode {
  const report = reportError(error);
  const exitCode = exitCodeOf(report);
  if (json) {
    world.out.write(`${JSON.stringify({ schema: "upbeat.error/1", exitCode, error: report })}\n`);
  } else {
    world.err.write(showError(styleFor(world.err, world.env), report));
  }
  return exitCode;
}

function asOurs(error: unknown, world: World): unknown {
  if (error instanceof CommanderError) {
    const detail = error.message.replace(/^error: /, "");
    return new UpbeatError("UPB-CLI-USAGE", { object: `upbeat ${world.args.join(" ")}`, detail });
  }
  if (world.interrupted.aborted && !(error instanceof UpbeatError)) {
    return new UpbeatError("UPB-CLI-INTERRUPTED", { object: `upbeat ${world.args[0] ?? ""}` });
  }
  return error;
}
