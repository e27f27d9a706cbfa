/**
 * `npm start`: one update travels from a publisher through a server to a machine, and a bad one is
 * undone. `node cli/journey/main.ts [--once] [--data FOLDER] [OLD_FOLDER NEW_FOLDER]`
 *
 * Nothing here is simulated: every step is the command that a person would type, and every claim is
 * checked. With --once it ends by itself, with code 0 only if all of it happened.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../exitCodes.ts";
import { realWorld } from "../realWorld.ts";
import { duration } from "../screen/format.ts";
import type { World } from "../world.ts";
import { showHistory, showServerView } from "./lookBack.ts";
import { folderReleases, type Releases, typescriptReleases } from "./releases.ts";
import { startDevice, startServer } from "./setUp.ts";
import { JourneyFailed, openStage, type Stage } from "./stage.ts";
import { badRelease, goodRelease } from "./travel.ts";

process.exitCode = await journey(realWorld(process.argv.slice(2)));

async function journey(world: World): Promise<number> {
  let stage: Stage | undefined;
  try {
    const { once, data, releases } = readArguments(world);
    const startedMs = world.now();
    stage = openStage(world, data);
    const server = await startServer(stage);
    await startDevice(stage, server, releases.product);
    await goodRelease(stage, releases, releases.first);
    await goodRelease(stage, releases, releases.second);
    const { release: broken } = await badRelease(stage, releases);
    await showHistory(stage, releases, broken);
    await showServerView(stage, releases, broken);
    const took = duration(world.now() - startedMs);
    world.out.write(
      `\n${stage.style.good(stage.style.marks.done)} All of it happened, in ${took}.\n`,
    );
    if (once) return EXIT.ok;
    sayWhatNext(stage, server, data !== undefined);
    await new Promise((done) => world.interrupted.addEventListener("abort", done, { once: true }));
    world.out.write("\nStopping everything ...\n");
    return EXIT.ok;
  } catch (error) {
    if (world.interrupted.aborted) return EXIT.interrupted;
    if (!(error instanceof JourneyFailed)) throw error;
    world.err.write(`\nThe journey failed: ${error.message}\n`);
    return EXIT.failed;
  } finally {
    await stage?.close();
  }
}

function readArguments(world: World): { once: boolean; data?: string; releases: Releases } {
  const { values, positionals } = parseArgs({
    args: [...world.args],
    allowPositionals: true,
    options: { once: { type: "boolean", default: false }, data: { type: "string" } },
  });
  const [oldFolder, newFolder, ...rest] = positionals.map((path) => resolve(world.cwd, path));
  const isPair = oldFolder !== undefined && newFolder !== undefined && rest.length === 0;
  if (positionals.length > 0 && !isPair) {
    throw new JourneyFailed("expected no folder or two: npm start -- OLD_FOLDER NEW_FOLDER");
  }
  return {
    once: values.once,
    ...(values.data === undefined ? {} : { data: resolve(world.cwd, values.data) }),
    releases: isPair ? folderReleases(oldFolder, newFolder) : typescriptReleases(),
  };
}

function sayWhatNext({ world, style, env, folder }: Stage, server: string, isKept: boolean): void {
  const { accent, bold, dim } = style;
  const lines = [
    "",
    bold("Everything stays up. Open"),
    `   ${accent(`${server}/openapi.json`)}   what the server can be asked`,
    `   ${accent(`${server}/metrics`)}        how it is doing`,
    "",
    bold("Try, in another terminal in this folder"),
    `   export UPBEAT_ROOT=${env.UPBEAT_ROOT} XDG_CONFIG_HOME=${env.XDG_CONFIG_HOME}`,
    `   npx upbeat status                 ${dim("what the machine is doing")}`,
    `   npx upbeat rollback typescript    ${dim("back to the version before")}`,
    `   npx upbeat services               ${dim("its two services")}`,
    `   npx upbeat updates list           ${dim("what is published")}`,
    `   npx upbeat devices list           ${dim("what the server knows")}`,
    `   npx upbeat keys show              ${dim("who may sign what, and until when")}`,
    "",
    `Ctrl-C stops everything${isKept ? `; it stays in ${folder}` : ` and removes ${folder}`}.`,
    "",
  ];
  world.out.write(lines.join("\n"));
}
