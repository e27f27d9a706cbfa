/** `upbeat server`: the update server in the foreground. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { z } from "zod";
import { ErrorReport, errorFromReport, UpbeatError } from "../../protocol/errors/error.ts";
import { runForeground } from "../childProcess.ts";
import { command } from "../command.ts";
import { plain } from "../screen/format.ts";
import { facts } from "../screen/table.ts";
import { inFolder } from "../settings.ts";
import type { World } from "../world.ts";

/** The port that Windows Server Update Services made customary. */
const DEFAULT_PORT = 8530;

/** What `server/main.ts` says on stdout, one object a line. */
const Said = z.union([
  z.object({ listening: z.url() }),
  z.object({ adminToken: z.string() }),
  z.object({ failed: ErrorReport }),
]);

export const server = command({
  name: "server",
  summary: "Run the update server in the foreground",
  details:
    "It listens on this machine only unless --host says otherwise. Its first start prints the\nadministration token, once: keep it.",
  options: [
    {
      flags: "--data <folder>",
      text: "where it keeps everything (default ~/.local/share/upbeat/server)",
      completes: "folder",
    },
    { flags: "--host <address>", text: "address to listen on (default 127.0.0.1)" },
    {
      flags: "--port <n>",
      text: `port to listen on (default ${DEFAULT_PORT}, 0 picks a free one)`,
    },
    { flags: "--public-url <url>", text: "address under which devices reach it" },
  ],
  examples: [
    ["upbeat server", `on http://127.0.0.1:${DEFAULT_PORT}, for this machine`],
    [
      "upbeat server --data /srv/upbeat --host 0.0.0.0 --public-url https://updates.example",
      "for a network, behind a proxy that does TLS",
    ],
  ],
  input: z.object({
    data: z.string().optional(),
    host: z.string().default("127.0.0.1"),
    port: z.coerce.number().int().min(0).max(65_535).default(DEFAULT_PORT),
    publicUrl: z.url().optional(),
  }),
  run: async (input, session) => {
    const { world } = session;
    const data = inFolder(world, input.data ?? defaultData(world));
    const args = ["--data", data, "--host", input.host, "--port", String(input.port)];
    if (input.publicUrl !== undefined) args.push("--public-url", input.publicUrl);
    let adminToken: string | undefined;
    let failed: ErrorReport | undefined;
    let ready = false;
    const end = await runForeground(world, "server/main", args, (line) => {
      const said = Said.safeParse(parseJson(line)).data;
      if (said === undefined) return session.note(plain(line));
      if ("adminToken" in said) adminToken = said.adminToken;
      if ("failed" in said) failed = said.failed;
      if (!("listening" in said) || ready) return;
      ready = true;
      const { listening } = said;
      session.answer({
        schema: "upbeat.server/1",
        data: { listening, data, ...(adminToken === undefined ? {} : { adminToken }) },
        text: (style) =>
          facts(style, [
            ["Server", style.bold(style.accent(listening))],
            ["Data", data],
            [
              "Token",
              adminToken && `${style.bold(adminToken)}  ${style.warn("shown once: keep it")}`,
            ],
            ["API", `${listening}/openapi.json`],
            [
              "Next",
              adminToken === undefined
                ? `upbeat updates list --server ${listening}`
                : `upbeat keys init --server ${listening} --save`,
            ],
            ["Stop", "Ctrl-C"],
          ]),
      });
    });
    if (world.interrupted.aborted || end.code === 0) return undefined;
    if (failed !== undefined) throw errorFromReport(failed);
    throw new UpbeatError("UPB-CLI-SERVER-STOPPED", {
      object: data,
      detail: end.signal === null ? `it ended with code ${end.code}` : `ended by ${end.signal}`,
    });
  },
});

function defaultData(world: World): string {
  const base = world.env.XDG_DATA_HOME;
  if (base !== undefined && isAbsolute(base)) return join(base, "upbeat", "server");
  return join(world.env.HOME ?? homedir(), ".local", "share", "upbeat", "server");
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that is not one of ours is shown as it is.
    return undefined;
  }
}
