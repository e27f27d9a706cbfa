/**
 * `node bin/setup.cjs start|test|bench|build [arguments]`: what every npm script goes through.
 *
 * Runs on the Node that the machine happens to have (20 or newer), without node_modules. Brings the
 * dependencies and the pinned Node 26, for `test` also the Debian packages, then hands over to the
 * real program on that Node with its arguments, signals and exit code.
 */
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, realpathSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:net");
const { join } = require("node:path");

const ROOT = realpathSync(join(__dirname, ".."));
const STAMP = join(ROOT, "node_modules", ".upbeat-stamp");
const PINNED_NODE = join(ROOT, "node_modules", `node-linux-${process.arch}`, "bin", "node");

/** What each word runs, under the pinned Node. */
const PROGRAMS = {
  start: ["cli/journey/main.ts"],
  test: ["tests/run.ts"],
  bench: ["bench/main.ts"],
  build: ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"],
  seal: ["cli/sealBuild.ts"],
};

/** A file that a test needs, and the Debian package that brings it (Debian 12 and 13). */
const TEST_PACKAGES = [
  ["nbdfuse", "libnbd-bin"],
  ["fusermount3", "fuse3"],
  ["mkfs.ext4", "e2fsprogs"],
  ["faketime", "faketime"],
  ["mount", "mount"],
  ["losetup", "mount"],
  ["zsh", "zsh"],
  ["fish", "fish"],
  ["chromium", "chromium"],
];

/** Set-up is two orders of magnitude slower than this; the wait is for another one in this folder. */
const LOCK_RETRY_MS = 300;
const LOCK_PATIENCE_MS = 15 * 60 * 1000;

main().catch((error) => {
  say(error.message);
  process.exitCode = 1;
});

async function main() {
  const [word, ...given] = process.argv.slice(2);
  const program = Object.hasOwn(PROGRAMS, word || "") ? PROGRAMS[word] : undefined;
  if (program === undefined) {
    throw new Error(`Use: node bin/setup.cjs ${Object.keys(PROGRAMS).join("|")} [arguments]`);
  }
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
    throw new Error(
      `Upbeat runs on Linux on x64 or arm64 so far; this is ${process.platform} on ${process.arch}.`,
    );
  }
  await bringDependencies();
  // What is built is only listed.
  if (word !== "seal") buildPages();
  if (word === "test") bringTestPackages();
  await handOver(program.concat(given[0] === "--" ? given.slice(1) : given));
}

async function bringDependencies() {
  if (isInstalled()) return;
  const unlock = await lock();
  try {
    if (isInstalled()) return; // by the run that we waited for
    say("Installing the dependencies and Node 26 into node_modules (about a minute, once) ...");
    const npm = spawnSync(
      "npm",
      ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"],
      {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    if (npm.error) throw new Error(`npm cannot be started: ${npm.error.message}`);
    if (npm.status !== 0) {
      throw new Error("npm ci failed; its message is above. Check the network and try again.");
    }
    if (!existsSync(PINNED_NODE)) {
      throw new Error(
        `npm did not bring ${PINNED_NODE}. Optional dependencies are switched off here: run "npm config delete omit" and try again.`,
      );
    }
    writeFileSync(STAMP, lockHash());
    say("Dependencies are there.");
  } finally {
    unlock();
  }
}

function isInstalled() {
  try {
    return readFileSync(STAMP, "utf8") === lockHash() && existsSync(PINNED_NODE);
  } catch {
    return false; // no stamp: npm ci empties node_modules first, so a broken one is seen too
  }
}

function lockHash() {
  return createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
}

/**
 * One set-up at a time in this folder. The lock is a socket in Linux's abstract name space: the
 * kernel drops it with the process, so none can be left behind.
 */
async function lock() {
  const name = createHash("sha256").update(`${process.getuid()}:${ROOT}`).digest("hex");
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (let said = false; ; said = true) {
    const server = await listen(`\0upbeat-setup-${name}`);
    if (server !== undefined) return () => server.close();
    if (Date.now() > deadline) {
      throw new Error("Another set-up in this folder does not end. End it, then try again.");
    }
    if (!said) say("Another set-up is running in this folder; waiting for it ...");
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
}

function listen(path) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("listening", () => resolve(server));
    server.once("error", (error) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen(path);
  });
}

/** The web pages, when their sources are not those that they were last built from. */
function buildPages() {
  const build = spawnSync(PINNED_NODE, ["web/build.ts"], { cwd: ROOT, encoding: "utf8" });
  if (build.status === 0) return;
  throw new Error(`The web pages cannot be built:\n${build.stderr || build.error}`);
}

/** Without them a few tests cannot run; those say that they were skipped and why. */
function bringTestPackages() {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const install = ["install", "-y", "-qq", "--no-install-recommends"].concat(packages);
  if (process.getuid() !== 0 || findProgram("apt-get") === undefined) {
    say(
      `Some tests need Debian packages that are missing and will be skipped. To run them all:\n` +
        `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`,
    );
    return;
  }
  say(
    `Installing Debian packages that tests need: ${packages.join(" ")} (up to a minute, once) ...`,
  );
  for (const words of [["update", "-qq"], install]) {
    const apt = spawnSync("apt-get", words, {
      env: Object.assign({}, process.env, { DEBIAN_FRONTEND: "noninteractive" }),
      encoding: "utf8",
    });
    if (apt.status === 0) continue;
    say(
      `apt-get ${words.join(" ")} failed; the tests that need it will be skipped.\n${apt.stderr || ""}`,
    );
  }
  const still = missingPackages();
  if (still.length === 0) return;
  // A check that silently stops running is worth nothing, and there they can be had.
  if (process.env.CI === "true") throw new Error(`CI needs these packages: ${still.join(" ")}`);
  say(`Still missing: ${still.join(" ")}`);
}

function missingPackages() {
  const missing = TEST_PACKAGES.filter(([program]) => findProgram(program) === undefined);
  return [...new Set(missing.map(([, name]) => name))];
}

function findProgram(name) {
  const folders = (process.env.PATH || "")
    .split(":")
    .concat("/usr/sbin", "/sbin", "/usr/bin", "/bin");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Runs the program on the pinned Node and ends as it ends. */
function handOver(args) {
  const child = spawn(PINNED_NODE, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: Object.assign({}, process.env, {
      PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH || "/usr/bin:/bin"}`,
    }),
  });
  const forward = (signal) => child.kill(signal);
  process.on("SIGTERM", forward);
  process.on("SIGHUP", forward);
  // A terminal sends Ctrl-C to the child too; a second one would mean "at once" to it.
  process.on("SIGINT", (signal) => process.stdin.isTTY || forward(signal));
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Error(`Node 26 cannot be started: ${error.message}`)),
    );
    child.once("exit", (code, signal) => {
      process.exitCode = code === null ? 128 + require("node:os").constants.signals[signal] : code;
      resolve();
    });
  });
}

function say(text) {
  process.stderr.write(`${text}\n`);
}
