import { expect, test } from "vitest";
import { testWorld } from "../tests/support/cliWorld.ts";
import { EXIT, EXIT_CODES } from "./exitCodes.ts";
import { run } from "./run.ts";
import { allNodes } from "./tree.ts";

const call = async (...args: string[]) => {
  const world = testWorld(args);
  return { exitCode: await run(world), ...world.printed };
};

test("without a command it prints its help on stderr and calls it a usage error", async () => {
  const { exitCode, out, err } = await call();
  expect(exitCode).toBe(EXIT.usage);
  expect(out).toBe("");
  expect(err).toContain("For publishers and administrators:");
});

test("help and version go to stdout and end with 0", async () => {
  expect(await call("--help")).toMatchObject({ exitCode: 0, err: "" });
  const version = await call("--version");
  expect(version.exitCode).toBe(0);
  expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a misspelt command is a usage error that suggests the right one", async () => {
  const { exitCode, out, err } = await call("sttus");
  expect(exitCode).toBe(EXIT.usage);
  expect(out).toBe("");
  expect(err).toContain("Did you mean status?");
  expect(err).toContain("UPB-CLI-USAGE");
});

test("with --json an error is one versioned object on stdout and nothing on stderr", async () => {
  const { exitCode, out, err } = await call("history", "--limit", "many", "--json");
  expect(exitCode).toBe(EXIT.usage);
  expect(err).toBe("");
  expect(JSON.parse(out)).toMatchObject({
    schema: "upbeat.error/1",
    exitCode: EXIT.usage,
    error: { code: "UPB-CLI-USAGE", detail: expect.stringContaining("limit") },
  });
});

test("a value that is not among an option's choices is a usage error", async () => {
  const args = ["publish", ".", "--product", "p", "--version", "1", "--classification", "nice"];
  expect((await call(...args, "--json")).exitCode).toBe(EXIT.usage);
});

test("explain works offline, in any case, and does not know unknown codes", async () => {
  const known = await call("explain", "upb-cli-usage", "--json");
  expect(JSON.parse(known.out)).toMatchObject({
    schema: "upbeat.explain/1",
    code: "UPB-CLI-USAGE",
  });
  expect((await call("explain", "constructor")).exitCode).toBe(EXIT.notFound);
});

test("help exit-codes prints every exit code", async () => {
  const { exitCode, out } = await call("help", "exit-codes");
  expect(exitCode).toBe(0);
  for (const [code, text] of EXIT_CODES)
    expect(out).toMatch(new RegExp(`^ *${code} .*${text.slice(0, 8)}`, "m"));
});

test("help finds a command by its words and says when there is none", async () => {
  expect((await call("help", "keys", "init")).out).toContain("--no-passphrase");
  expect((await call("help", "keys", "burn")).exitCode).toBe(EXIT.notFound);
});

const leaves = allNodes().flatMap((node) =>
  node.kind === "command"
    ? [{ path: [node.name], command: node }]
    : node.commands.map((command) => ({ path: [node.name, command.name], command })),
);

test.each(leaves)("$path has a help with examples and takes --json", async ({ path, command }) => {
  const { exitCode, out } = await call(...path, "--help");
  expect(exitCode).toBe(0);
  expect(out).toContain("Examples:");
  expect(out).toContain("--json");
  expect(command.examples.length).toBeGreaterThan(0);
  for (const [line] of command.examples) expect(line).toContain(`upbeat ${path[0]}`);
});

test("the commands that need a server say which setting is missing", async () => {
  const env = { XDG_CONFIG_HOME: "/nowhere/config" };
  const world = testWorld(["updates", "list", "--json"], { env });
  expect(await run(world)).toBe(EXIT.failed);
  expect(JSON.parse(world.printed.out).error.code).toBe("UPB-CLI-NO-SERVER");
  const withServer = testWorld(["updates", "list", "--json", "--server", "http://127.0.0.1:1"], {
    env,
  });
  expect(await run(withServer)).toBe(EXIT.permission);
  expect(JSON.parse(withServer.printed.out).error.code).toBe("UPB-CLI-NO-TOKEN");
});

test("a server that nobody runs ends with 5", async () => {
  const env = {
    UPBEAT_TOKEN: "t",
    UPBEAT_SERVER: "http://127.0.0.1:1",
    XDG_CONFIG_HOME: "/nowhere",
  };
  const world = testWorld(["devices", "list", "--json"], { env });
  expect(await run(world)).toBe(EXIT.notRunning);
  expect(JSON.parse(world.printed.out).error.code).toBe("UPB-CLI-SERVER-AWAY");
});

test("a device whose services are not running ends with 5", async () => {
  const world = testWorld(["status", "--json", "--root", "/nowhere"]);
  expect(await run(world)).toBe(EXIT.notRunning);
  expect(JSON.parse(world.printed.out).error.code).toBe("UPB-LOCAL-NOT-RUNNING");
});
