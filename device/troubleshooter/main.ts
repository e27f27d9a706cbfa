/**
 * The troubleshooter's process: `main.ts --root DIR [--fix | --unasked]`. A process of its own
 * because it takes over the services' network settings, and because what hangs in it can be stopped
 * from outside. Tells what it does on stdout (`lines.ts`), keeps what it found, and ends when it is
 * done, whatever it may have left open.
 */
import { parseArgs } from "node:util";
import { devicePaths } from "../paths.ts";
import type { Line } from "./lines.ts";
import { troubleshoot } from "./troubleshoot.ts";
import { isDue, keep, mayRepairByItself, troublesNow } from "./unasked.ts";

// Whoever started it is gone: nobody reads this.
process.stdout.on("error", () => process.exit(1));

const { values } = parseArgs({
  options: {
    root: { type: "string", default: "/" },
    fix: { type: "boolean", default: false },
    unasked: { type: "boolean", default: false },
  },
});
const { unasked } = values;
const paths = devicePaths(values.root);
if (unasked && !(await isDue(paths, Date.now()))) process.exit(0);

const tell = (line: Line): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const before = await troublesNow(paths, Date.now());
const diagnosis = await troubleshoot({
  paths,
  env: process.env,
  now: Date.now,
  repair: unasked ? mayRepairByItself(paths) && "by-itself" : values.fix && "all",
  tell,
});
await keep(paths, { diagnosis, before }, Date.now());
tell({ is: "done", diagnosis });
process.exit(0);
