import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CATALOGUE } from "../../protocol/errors/catalogue.ts";
import { allNodes } from "../tree.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { treeWords } from "./words.ts";
import { zshCompletion } from "./zsh.ts";

const TREE_WORDS = treeWords(allNodes());
const BASH = bashCompletion(TREE_WORDS);

/** What a real bash offers after these words; the last one is being typed. */
function offered(...words: string[]): string[] {
  const quoted = ["upbeat", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${BASH}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}
_upbeat
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8", cwd: "/" });
  return out.split("\n").filter(Boolean);
}

test("bash completes the first word from the tree", () => {
  expect(offered("st")).toEqual(["status"]);
  expect(offered("")).toEqual(expect.arrayContaining(["keys", "publish", "services", "help"]));
});

test("bash completes sub-commands of a group", () => {
  expect(offered("keys", "")).toEqual(["init", "rotate", "renew", "show"]);
  expect(offered("services", "st")).toEqual(["start", "stop"]);
});

test("bash completes the options of exactly this command", () => {
  expect(offered("publish", "./x", "--cl")).toEqual(["--classification"]);
  expect(offered("keys", "init", "--no")).toEqual(["--no-passphrase"]);
  expect(offered("status", "--no")).toEqual([]);
  expect(offered("services", "--ro")).toEqual(["--root"]);
});

test("bash completes the values of an option and of an argument", () => {
  expect(offered("publish", "--classification", "sec")).toEqual(["security"]);
  expect(offered("services", "logs", "or")).toEqual(["orchestrator"]);
  expect(offered("services", "stop", "--root", "/tmp", "up")).toEqual(["update-service"]);
  expect(offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
  expect(offered("explain", "UPB-CLI-US")).toEqual(["UPB-CLI-USAGE"]);
  expect(offered("explain", "")).toEqual(expect.arrayContaining(Object.keys(CATALOGUE)));
  expect(offered("explain", "WU_E_NO_C")).toEqual(["WU_E_NO_CONNECTION"]);
});

test("bash completes folders where a folder is wanted, and nothing after free text", () => {
  expect(offered("status", "--root", "et")).toEqual(["etc"]);
  expect(offered("publish", "et")).toEqual(["etc"]);
  expect(offered("publish", "--title", "et")).toEqual([]);
});

const hasShell = (shell: string) => spawnSync(shell, ["-c", "true"]).status === 0;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-completion-"));
  writeFileSync(join(folder, "_upbeat"), zshCompletion(TREE_WORDS));
  writeFileSync(join(folder, "upbeat.fish"), fishCompletion(TREE_WORDS));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Only bash is on every Debian; the other two are asked where they are installed.
test.skipIf(!hasShell("zsh"))("zsh can read its script", () => {
  const { status, stderr } = spawnSync("zsh", ["-n", join(folder, "_upbeat")], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test.skipIf(!hasShell("fish"))("a real fish completes sub-commands, options and values", () => {
  const ask = (line: string): string[] => {
    const script = `source ${folder}/upbeat.fish; complete -C'${line}'`;
    const env = { ...process.env, HOME: folder };
    const out = execFileSync("fish", ["--no-config", "-c", script], { encoding: "utf8", env });
    return out
      .split("\n")
      .filter(Boolean)
      .map((one) => one.split("\t")[0] ?? "");
  };
  expect(ask("upbeat st")).toEqual(["status"]);
  expect(ask("upbeat keys ")).toEqual(["init", "renew", "rotate", "show"]);
  expect(ask("upbeat keys init --no")).toEqual(["--no-passphrase"]);
  expect(ask("upbeat services --ro")).toEqual(["--root"]);
  expect(ask("upbeat publish --classification sec")).toEqual(["security"]);
  expect(ask("upbeat services logs ")).toEqual(["orchestrator", "update-service"]);
});

test("every command and option is in all three scripts", () => {
  for (const script of [BASH, zshCompletion(TREE_WORDS), fishCompletion(TREE_WORDS)]) {
    for (const { path, options } of TREE_WORDS.commands) {
      expect(script).toContain(path.at(-1));
      for (const { names } of options) expect(script).toContain(names.at(-1)?.replace(/^--/, ""));
    }
  }
});
