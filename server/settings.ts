/** The arguments of the server. Errors: UPB-SERVER-ARGUMENTS. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { UpbeatError } from "../protocol/errors/error.ts";

const Settings = z.strictObject({
  data: z
    .string()
    .min(1)
    .transform((folder) => resolve(folder)),
  host: z.string().min(1).default("127.0.0.1"),
  port: z.coerce.number().int().min(0).max(65_535),
  "public-url": z
    .url({ protocol: /^https?$/ })
    .transform((text) => new URL(text))
    .optional(),
});
export type Settings = z.infer<typeof Settings>;

export function readSettings(args: readonly string[]): Settings {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { data: text, host: text, port: text, "public-url": text },
    });
    return Settings.parse(values);
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new UpbeatError("UPB-SERVER-ARGUMENTS", { object: args.join(" "), detail, cause });
  }
}
