/** The command tree as a commander program: parsing and help, both without touching the process. */
import {
  Argument as CommanderArgument,
  Command as CommanderCommand,
  Option as CommanderOption,
} from "commander";
import type { Command } from "./command.ts";
import { HELP_TOPICS, helpCommand } from "./commands/help.ts";
import { styleFor } from "./screen/style.ts";
import { TREE } from "./tree.ts";
import { packageVersion } from "./version.ts";
import type { World } from "./world.ts";

export type Runner = (command: Command, raw: unknown) => Promise<void>;

export function buildProgram(world: World, run: Runner): CommanderCommand {
  const program = prepare(new CommanderCommand("upbeat"), world)
    .description(
      "Signed updates from a publisher, through a server that cannot forge them, to machines that install, prove and undo them.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    // Otherwise `publish --version 1.4.0` would print our own version.
    .enablePositionalOptions()
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nStart:  upbeat server   then   upbeat keys init   then   upbeat publish FOLDER --product P --version V\nCodes:  upbeat help exit-codes",
    );
  for (const [heading, nodes] of TREE) {
    for (const node of nodes) {
      if (node.kind === "command") {
        program.addCommand(leaf(node, node.name, world, run).helpGroup(heading));
        continue;
      }
      const parent = prepare(new CommanderCommand(node.name), world)
        .description(node.summary)
        .helpGroup(heading);
      for (const child of node.commands) {
        const path = `${node.name} ${child.name}`;
        const isDefault = child.name === node.bare;
        parent.addCommand(leaf(child, path, world, run), { isDefault });
      }
      program.addCommand(parent);
    }
  }
  const help = helpCommand((words) => helpFor(program, words));
  program.addCommand(leaf(help, help.name, world, run).helpGroup("Help:"));
  return program;
}

function leaf(spec: Command, path: string, world: World, run: Runner): CommanderCommand {
  const cmd = prepare(new CommanderCommand(path.split(" ").at(-1)), world).description(
    spec.summary,
  );
  for (const [notation, argument] of Object.entries(spec.args ?? {})) {
    const made = new CommanderArgument(notation, argument.text);
    cmd.addArgument(argument.choices ? made.choices(argument.choices) : made);
  }
  for (const option of spec.options ?? []) {
    const made = new CommanderOption(option.flags, option.text);
    cmd.addOption(option.choices ? made.choices(option.choices) : made);
  }
  cmd.option("--json", "print one JSON object on stdout, ask nothing");
  const examples = spec.examples.map(([line, what]) => `  ${line}\n      ${what}`).join("\n");
  cmd.addHelpText("after", `${spec.details ? `\n${spec.details}\n` : ""}\nExamples:\n${examples}`);
  cmd.action(async () => {
    const names = cmd.registeredArguments.map((argument) => argument.name());
    const named = Object.fromEntries(names.map((name, at) => [name, cmd.processedArgs[at]]));
    await run(spec, { ...cmd.opts(), ...named });
  });
  return cmd;
}

function prepare(cmd: CommanderCommand, world: World): CommanderCommand {
  const style = styleFor(world.out, world.env);
  return cmd
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({
      // Every command has options: saying so on each line says nothing.
      subcommandTerm: (child) =>
        [child.name(), ...child.registeredArguments.map(argumentNotation)].join(" "),
      styleTitle: style.bold,
      styleCommandText: style.accent,
      styleSubcommandText: style.accent,
      styleOptionText: style.accent,
    })
    .configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
      // Errors are printed once, by run.ts, in the shape of all our errors.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(world.out.columns, 110),
      getOutHasColors: () => world.out.colours,
    });
}

const argumentNotation = (argument: CommanderArgument): string => {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
};

/** A topic's text, or the help of the command that the words lead to; undefined: neither. */
function helpFor(program: CommanderCommand, words: readonly string[]): string | undefined {
  if (words.length === 1 && words[0] !== undefined && Object.hasOwn(HELP_TOPICS, words[0])) {
    return HELP_TOPICS[words[0]];
  }
  let found: CommanderCommand | undefined = program;
  for (const word of words) found = found?.commands.find((command) => command.name() === word);
  let text = "";
  // `outputHelp` rather than `helpInformation`: only it adds the examples.
  found
    ?.configureOutput({
      writeOut: (more) => {
        text += more;
      },
    })
    .outputHelp();
  return found && text;
}
