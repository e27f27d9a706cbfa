/** Which folder the signing keys are in. */
import { join } from "node:path";
import { z } from "zod";
import type { Option } from "../command.ts";
import { configFolder, inFolder } from "../settings.ts";
import type { World } from "../world.ts";

export const KEYS_OPTION: Option = {
  flags: "--keys <folder>",
  text: "folder of the signing keys (default ~/.config/upbeat/keys)",
  completes: "folder",
};
export const KeysInput = { keys: z.string().optional() };

export const keysFolder = (world: World, input: { keys?: string | undefined }): string =>
  input.keys === undefined ? join(configFolder(world), "keys") : inFolder(world, input.keys);
