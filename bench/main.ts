/**
 * `npm run bench -- NAME [--json FILE] [--only PART,PART] | --list`: runs one measurement, prints a table a person can
 * read, and writes `{name, date, machine, figures, goals}`. A missed goal is printed as missed and is
 * no error: it is a measurement.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import type { Bench, BenchResult } from "./bench.ts";
import { checkBench } from "./check.ts";
import { deltaBench } from "./delta.ts";
import { devicesBench } from "./devices.ts";
import { evaluateBench } from "./evaluate.ts";
import { faultsBench } from "./faults.ts";
import { fleetBench } from "./fleet.ts";
import { installBench } from "./install.ts";
import { restartsBench } from "./restarts.ts";
import { webBench } from "./web.ts";

const BENCHES: readonly Bench[] = [
  checkBench,
  deltaBench,
  devicesBench,
  evaluateBench,
  faultsBench,
  fleetBench,
  installBench,
  restartsBench,
  webBench,
];

const USE =
  `Use: npm run bench -- ${BENCHES.map(({ name }) => name).join(" | ")} ` +
  "[--json FILE] [--only PART,PART], or --list";

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      json: { type: "string" },
      list: { type: "boolean" },
      only: { type: "string" },
    },
    allowPositionals: true,
  });
  if (values.list || values.help) {
    if (values.help) console.log(`${USE}\n`);
    for (const { name, describe } of BENCHES) console.log(`${name.padEnd(12)} ${describe}`);
    return 0;
  }
  const bench = BENCHES.find(({ name }) => name === positionals[0]);
  if (bench === undefined || positionals.length !== 1) {
    console.error(USE);
    return 2;
  }
  const date = new Date().toISOString();
  const result = await bench.run(values.only?.split(","));
  print(bench, result);
  if (values.json !== undefined) {
    const { figures, goals } = result;
    const report = { name: bench.name, date, machine: machine(), figures, goals };
    writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return 0;
}

function machine(): Record<string, string | number> {
  const processors = cpus();
  return {
    system: debianVersion(),
    kernel: release(),
    arch: arch(),
    processor: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memoryBytes: totalmem(),
    node: process.version,
  };
}

function debianVersion(): string {
  try {
    return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  } catch {
    return "Linux";
  }
}

function print(bench: Bench, { tables, goals }: BenchResult): void {
  console.log(`${bench.name}: ${bench.describe}`);
  for (const { title, header, rows } of tables) {
    const table = new Table({ head: [...header], style: { head: [], border: [] } });
    table.push(...rows.map((row) => [...row]));
    console.log(`\n${title}\n${table.toString()}`);
  }
  console.log("\nGoals");
  for (const { what, value, goal, met } of goals) {
    console.log(`  ${met ? "met   " : "MISSED"}  ${what}: ${value} (goal: ${goal})`);
  }
}

process.exitCode = await main();
