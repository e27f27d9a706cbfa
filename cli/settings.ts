/**
 * Where the server is and who asks: options first, then the environment, then the saved settings.
 *
 * Saved settings are `cli.json` in `$XDG_CONFIG_HOME/upbeat` (XDG Base Directory Specification
 * 0.8), readable by their owner only, because they hold the administration token.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { z } from "zod";
import { UpbeatError } from "../protocol/errors/error.ts";
import type { Option } from "./command.ts";
import { writeSecretFile } from "./secretFile.ts";
import type { World } from "./world.ts";

export const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["UPBEAT_SERVER", "address of the server, instead of --server"],
  ["UPBEAT_TOKEN", "administration token, instead of --token-file"],
  ["UPBEAT_PASSPHRASE", "passphrase of the signing keys, instead of --passphrase-file"],
  ["UPBEAT_ROOT", "root folder of the device, instead of --root (default /)"],
  ["XDG_CONFIG_HOME", "where keys and saved settings live (default ~/.config)"],
  ["XDG_CACHE_HOME", "where `publish` keeps what it has not finished (default ~/.cache)"],
  ["NO_COLOR", "set to anything: no colours"],
  ["CLICOLOR_FORCE", "set to 1: colours in a pipe too"],
];

export const SERVER_OPTIONS: readonly Option[] = [
  { flags: "--server <url>", text: "address of the server" },
  {
    flags: "--token-file <file>",
    text: "file with the administration token",
    completes: "file",
  },
];
export const ServerInput = { server: z.url().optional(), tokenFile: z.string().optional() };

export const ROOT_OPTION: Option = {
  flags: "--root <folder>",
  text: "root folder of the device (default /)",
  completes: "folder",
};
export const RootInput = { root: z.string().optional() };

const Saved = z.object({ server: z.url().optional(), token: z.string().optional() });
type Saved = z.infer<typeof Saved>;

export interface ServerSettings {
  url: URL;
  token: string;
}

/** Errors: UPB-CLI-NO-SERVER, UPB-CLI-NO-TOKEN, UPB-CLI-SETTINGS, UPB-CLI-FILE. */
export function serverSettings(
  world: World,
  input: { server?: string | undefined; tokenFile?: string | undefined },
): ServerSettings {
  const saved = readSaved(world);
  const address = input.server ?? nonEmpty(world.env.UPBEAT_SERVER) ?? saved.server;
  if (address === undefined) {
    throw new UpbeatError("UPB-CLI-NO-SERVER", { object: settingsFile(world) });
  }
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
    throw new UpbeatError("UPB-CLI-USAGE", {
      object: address,
      detail: "the server's address starts with http:// or https://",
    });
  }
  const token =
    input.tokenFile === undefined
      ? (nonEmpty(world.env.UPBEAT_TOKEN) ?? savedTokenFor(address, saved))
      : readText(inFolder(world, input.tokenFile)).trim();
  if (token === undefined || token === "") {
    throw new UpbeatError("UPB-CLI-NO-TOKEN", { object: address });
  }
  return { url: new URL(address.endsWith("/") ? address : `${address}/`), token };
}

export function saveServerSettings(world: World, settings: ServerSettings): string {
  const file = settingsFile(world);
  const saved: Saved = { server: settings.url.href, token: settings.token };
  writeSecretFile(file, `${JSON.stringify(saved, undefined, 2)}\n`);
  return file;
}

export function configFolder(world: World): string {
  const base = world.env.XDG_CONFIG_HOME;
  // The specification: a relative path there is to be ignored.
  if (base !== undefined && isAbsolute(base)) return join(base, "upbeat");
  return join(world.env.HOME ?? homedir(), ".config", "upbeat");
}

export const deviceRoot = (world: World, input: { root?: string | undefined }): string =>
  inFolder(world, input.root ?? nonEmpty(world.env.UPBEAT_ROOT) ?? "/");

/** A path as the person meant it: from the folder where the command was typed. */
export const inFolder = (world: World, path: string): string => resolve(world.cwd, path);

export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-FILE", { object: file, cause });
  }
}

const settingsFile = (world: World): string => join(configFolder(world), "cli.json");

/** A token goes to the server it was saved for, never to another one that --server names. */
function savedTokenFor(address: string, saved: Saved): string | undefined {
  const same =
    saved.server !== undefined && new URL(saved.server).origin === new URL(address).origin;
  return same ? saved.token : undefined;
}

function readSaved(world: World): Saved {
  const file = settingsFile(world);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new UpbeatError("UPB-CLI-SETTINGS", {
        object: file,
        detail: "it holds a token and others may read it: chmod 600 makes it yours alone",
      });
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    if (cause instanceof UpbeatError) throw cause;
    throw new UpbeatError("UPB-CLI-FILE", { object: file, cause });
  }
  try {
    return Saved.parse(JSON.parse(text));
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-SETTINGS", { object: file, detail: "it is not valid", cause });
  }
}

const nonEmpty = (value: string | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : value;
