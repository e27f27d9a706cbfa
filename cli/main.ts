/** The process `upbeat`. */
import { realWorld } from "./realWorld.ts";
import { run } from "./run.ts";

process.exitCode = await run(realWorld(process.argv.slice(2)));
