/**
 * `npm test [-- STEP …]`: every check there is, step by step, and what they amounted to.
 *
 * Last line: `N passed, N failed, N skipped`: every Vitest test counts, and one for each other step.
 * Exits with 1 when anything failed. What cannot run here is skipped and says why.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { type Counts, commandStep, type Step, type StepResult, vitestStep } from "./steps.ts";

/** By its path: the example releases are TypeScript too, and bring a command of the same name. */
const TSC = "node_modules/typescript/bin/tsc";

const STEPS: readonly Step[] = [
  commandStep("types", [process.execPath, TSC, "--noEmit"]),
  commandStep("web types", [process.execPath, TSC, "-p", "web"]),
  commandStep("console types", [process.execPath, TSC, "-p", "web/admin"]),
  commandStep("style", ["biome", "check", "."]),
  commandStep("unused", ["knip", "--no-progress"]),
  vitestStep("unit", []),
  commandStep("kills", [process.execPath, "tests/kills/main.ts"]),
  commandStep("powercuts", [process.execPath, "tests/powercuts/main.ts"]),
  commandStep("journey", [process.execPath, "cli/journey/main.ts", "--once"]),
];

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    const names = STEPS.map(({ name }) => name).join(", ");
    process.stdout.write(`There is no step ${unknown.join(", ")}. The steps are: ${names}\n`);
    process.exitCode = 2;
    return;
  }
  const steps = STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  process.stdout.write(`Node ${process.version}, ${cpus().length} processors\n`);
  // Our programs are started thousands of times; compiling them is half of a start.
  process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "../node_modules/.cache/compiled");

  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const results: { name: string; seconds: number; result: StepResult }[] = [];
  for (const { name, run } of steps) {
    if (interrupted) break;
    process.stdout.write(`\n=== ${name}\n`);
    const startMs = performance.now();
    const result = await run();
    results.push({ name, seconds: (performance.now() - startMs) / 1_000, result });
  }
  const total = summarise(results);
  process.stdout.write(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
  );
  if (interrupted) process.exitCode = 130;
  else process.exitCode = total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0;
}

function summarise(
  results: readonly { name: string; seconds: number; result: StepResult }[],
): Counts {
  process.stdout.write("\n=== summary\n");
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, seconds, result } of results) {
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    const verdict = result.failed > 0 ? "FAILED" : result.passed > 0 ? "passed" : "skipped";
    process.stdout.write(
      `${name.padEnd(10)} ${verdict.padEnd(8)} ${String(result.passed).padStart(5)} passed ` +
        `${String(result.failed).padStart(3)} failed ${String(result.skipped).padStart(3)} skipped ` +
        `${seconds.toFixed(1).padStart(7)} s  ${result.note}\n`,
    );
  }
  return total;
}

await main();
