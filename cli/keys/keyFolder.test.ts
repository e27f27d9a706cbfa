import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { TEST_NOW_MS, testWorld } from "../../tests/support/cliWorld.ts";
import type { Session } from "../command.ts";
import { progressOn } from "../screen/progress.ts";
import {
  findKeyFolder,
  keyFile,
  makeKeys,
  openKey,
  openKeyFolder,
  presentKeys,
} from "./keyFolder.ts";
import { newPassphrase, passphraseFor } from "./passphrase.ts";

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "upbeat-keys-")), "keys");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const codeOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    if (error instanceof UpbeatError) return error.code;
    throw error;
  }
  return "no error";
};
const mode = (path: string): number => statSync(path).mode & 0o777;

test("private keys are files of mode 0600 in a folder of mode 0700, numbered by role", () => {
  const { all } = makeKeys(folder, ["root", "root", "stable"], "secret", TEST_NOW_MS);
  expect(all.keys.map((key) => key.name)).toEqual(["root-1", "root-2", "stable-1"]);
  expect(mode(folder)).toBe(0o700);
  for (const key of all.keys) expect(mode(keyFile(folder, key))).toBe(0o600);
  expect(makeKeys(folder, ["root"], "secret", TEST_NOW_MS).made[0]?.record.name).toBe("root-3");
});

test("with a passphrase the file holds an encrypted PKCS#8 key that only the passphrase opens", async () => {
  const { all, made } = makeKeys(folder, ["stable"], "secret", TEST_NOW_MS);
  const [first] = made;
  if (first === undefined) throw new Error("no key was made");
  expect(readFileSync(keyFile(folder, first.record), "utf8")).toMatch(
    /^-----BEGIN ENCRYPTED PRIVATE KEY-----/,
  );
  const bytes = new TextEncoder().encode("text");
  expect(openKey(all, first.record, "secret").sign(bytes)).toEqual(first.key.sign(bytes));
  expect(await codeOf(() => openKey(all, first.record, "wrong"))).toBe("UPB-KEYS-PASSPHRASE");
  expect(await codeOf(() => openKey(all, first.record, undefined))).toBe("UPB-KEYS-PASSPHRASE");
});

test("a key that others may read, that is damaged, or that is another key is refused", async () => {
  const { all, made } = makeKeys(folder, ["stable", "beta"], undefined, TEST_NOW_MS);
  const [stable, beta] = made.map(({ record }) => record);
  if (stable === undefined || beta === undefined) throw new Error("no key was made");
  chmodSync(keyFile(folder, stable), 0o640);
  expect(await codeOf(() => openKey(all, stable, undefined))).toBe("UPB-KEYS-OPEN");
  writeFileSync(keyFile(folder, stable), "-----BEGIN", { mode: 0o600 });
  chmodSync(keyFile(folder, stable), 0o600);
  expect(await codeOf(() => openKey(all, stable, undefined))).toBe("UPB-KEYS-DAMAGED");
  writeFileSync(keyFile(folder, stable), readFileSync(keyFile(folder, beta)));
  expect(await codeOf(() => openKey(all, stable, undefined))).toBe("UPB-KEYS-DAMAGED");
});

test("a key whose file was taken offline stays known and is not present", () => {
  const { all } = makeKeys(folder, ["root", "root"], undefined, TEST_NOW_MS);
  const ids = all.keys.map((key) => key.keyId);
  const [first] = all.keys;
  if (first === undefined) throw new Error("no key was made");
  rmSync(keyFile(folder, first));
  expect(presentKeys(openKeyFolder(folder), ids).map((key) => key.name)).toEqual(["root-2"]);
});

test("a folder without keys is none, one with a damaged list is damaged", async () => {
  expect(findKeyFolder(folder)).toBeUndefined();
  expect(await codeOf(() => openKeyFolder(folder))).toBe("UPB-KEYS-NONE");
  makeKeys(folder, ["stable"], undefined, TEST_NOW_MS);
  writeFileSync(join(folder, "keys.json"), "{}");
  expect(await codeOf(() => openKeyFolder(folder))).toBe("UPB-KEYS-DAMAGED");
});

function session(more: {
  env?: Record<string, string>;
  answers?: string[];
  json?: boolean;
}): Session {
  const { answers, env = {} } = more;
  const askSecret = answers && (async () => answers.shift() ?? "");
  const world = testWorld([], { env, cwd: folder, ...(askSecret && { askSecret }) });
  return {
    world,
    json: more.json ?? false,
    progress: progressOn(world),
    answer: () => undefined,
    note: () => undefined,
  };
}

test("a new passphrase is asked twice, and two that differ are refused", async () => {
  expect(await newPassphrase(session({ answers: ["one", "one"] }), {})).toBe("one");
  expect(await codeOf(() => newPassphrase(session({ answers: ["one", "two"] }), {}))).toBe(
    "UPB-KEYS-PASSPHRASE",
  );
  expect(await codeOf(() => newPassphrase(session({ answers: ["", ""] }), {}))).toBe(
    "UPB-KEYS-PASSPHRASE",
  );
});

test("nobody is asked with --json or without a terminal, and never for open keys", async () => {
  const locked = makeKeys(folder, ["stable"], "secret", TEST_NOW_MS).all.keys;
  const withJson = session({ answers: ["secret"], json: true });
  expect(await codeOf(() => passphraseFor(withJson, {}, locked))).toBe("UPB-KEYS-NO-PASSPHRASE");
  expect(await codeOf(() => passphraseFor(session({}), {}, locked))).toBe("UPB-KEYS-NO-PASSPHRASE");
  expect(await passphraseFor(session({}), {}, [])).toBeUndefined();
  expect(await passphraseFor(session({ env: { UPBEAT_PASSPHRASE: "e" } }), {}, locked)).toBe("e");
});

test("a passphrase file gives its first line and wins over the environment", async () => {
  const locked = makeKeys(folder, ["stable"], "secret", TEST_NOW_MS).all.keys;
  writeFileSync(join(folder, "pass"), "secret\r\nnot this\n");
  const given = session({ env: { UPBEAT_PASSPHRASE: "e" } });
  expect(await passphraseFor(given, { passphraseFile: "pass" }, locked)).toBe("secret");
  expect(await codeOf(() => passphraseFor(given, { passphraseFile: "none" }, locked))).toBe(
    "UPB-CLI-FILE",
  );
});
