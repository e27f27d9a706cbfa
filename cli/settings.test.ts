import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UpbeatError } from "../protocol/errors/error.ts";
import { testWorld } from "../tests/support/cliWorld.ts";
import { deviceRoot, saveServerSettings, serverSettings } from "./settings.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const world = (env: Record<string, string> = {}) =>
  testWorld([], { env: { XDG_CONFIG_HOME: folder, ...env }, cwd: folder });
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof UpbeatError) return error.code;
    throw error;
  }
  return "no error";
};
const save = (href: string) =>
  saveServerSettings(world(), { url: new URL(href), token: "saved-token" });

test("options win over the environment, and the environment over what was saved", () => {
  save("http://saved.example/");
  writeFileSync(join(folder, "token"), "file-token\n");
  const env = { UPBEAT_SERVER: "http://env.example", UPBEAT_TOKEN: "env-token" };
  const given = { server: "http://option.example", tokenFile: "token" };
  expect(serverSettings(world(env), given)).toEqual({
    url: new URL("http://option.example/"),
    token: "file-token",
  });
  expect(serverSettings(world(env), {})).toEqual({
    url: new URL("http://env.example/"),
    token: "env-token",
  });
  expect(serverSettings(world(), {})).toEqual({
    url: new URL("http://saved.example/"),
    token: "saved-token",
  });
});

test("a saved token is never sent to another server", () => {
  save("http://saved.example/");
  expect(codeOf(() => serverSettings(world(), { server: "http://other.example" }))).toBe(
    "UPB-CLI-NO-TOKEN",
  );
});

test("saved settings are readable by their owner only, and refused when others may read them", () => {
  const file = save("http://saved.example/");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  expect(codeOf(() => serverSettings(world(), {}))).toBe("UPB-CLI-SETTINGS");
});

test("damaged settings are named, not guessed", () => {
  const file = save("http://saved.example/");
  writeFileSync(file, "{");
  expect(codeOf(() => serverSettings(world(), {}))).toBe("UPB-CLI-SETTINGS");
});

test("an address that is not http is refused", () => {
  const env = { UPBEAT_TOKEN: "t" };
  expect(codeOf(() => serverSettings(world(env), { server: "ftp://a.example" }))).toBe(
    "UPB-CLI-USAGE",
  );
});

test("the device's root is the option, then UPBEAT_ROOT, then /", () => {
  expect(deviceRoot(world({ UPBEAT_ROOT: "/env" }), { root: "here" })).toBe(join(folder, "here"));
  expect(deviceRoot(world({ UPBEAT_ROOT: "/env" }), {})).toBe("/env");
  expect(deviceRoot(world(), {})).toBe("/");
});
