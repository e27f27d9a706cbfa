/** `upbeat device …`: making this machine one that is kept up to date. */
import { hostname } from "node:os";
import { z } from "zod";
import { EnrolToken } from "../../protocol/deviceApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, Product } from "../../protocol/ids.ts";
import { runForeground } from "../childProcess.ts";
import { command, group } from "../command.ts";
import { plain } from "../screen/format.ts";
import { facts } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

const enrol = command({
  name: "enrol",
  args: { "<url>": { text: "address of the server" } },
  summary: "Enrol this machine at a server with a one-time token",
  details:
    "The machine makes a key that never leaves it, and checks the server's first root metadata\nagainst the fingerprint in the token.",
  options: [
    ROOT_OPTION,
    { flags: "--token <token>", text: "what `upbeat devices token` printed" },
    { flags: "--product <name...>", text: "what to keep up to date" },
    { flags: "--channel <name>", text: "which channel to follow (default stable)" },
    { flags: "--name <name>", text: "how people call this machine (default its host name)" },
  ],
  examples: [
    [
      "upbeat device enrol https://updates.example --token upbeat-token.… --product kiosk",
      "then start the services: `upbeat device run`",
    ],
  ],
  input: z.object({
    ...RootInput,
    url: z.url({ protocol: /^https?$/ }),
    token: EnrolToken,
    product: z.array(Product).min(1),
    channel: Channel.prefault("stable"),
    name: z.string().min(1).max(200).optional(),
  }),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    const { enrol: enrolDevice } = await import("../../device/enrol.ts");
    session.progress.show({ text: "Check the server's root and enrol" });
    const config = await enrolDevice({
      root,
      serverUrl: input.url,
      token: input.token,
      name: input.name ?? hostname(),
      products: input.product.map((product) => ({ product, channel: input.channel })),
    });
    session.progress.end("done");
    return {
      schema: "upbeat.enrolled/1",
      data: { root, config },
      text: (style) =>
        facts(style, [
          ["Enrolled", `${style.good(style.marks.done)} ${style.bold(config.deviceId)}`],
          ["Name", plain(config.name)],
          ["Server", config.serverUrl],
          ["Products", config.products.map((one) => `${one.product} (${one.channel})`).join(", ")],
          ["Next", `upbeat device run${root === "/" ? "" : ` --root ${root}`}`],
        ]),
    };
  },
});

const run = command({
  name: "run",
  summary: "Run this machine's services in the foreground",
  details:
    "Starts the service manager, which starts and watches the update service and the orchestrator.",
  options: [ROOT_OPTION],
  examples: [["upbeat device run --root ./machine", "until Ctrl-C"]],
  input: z.object(RootInput),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    session.note(
      `The services of ${root} are running. Look at them with: upbeat services. Stop: Ctrl-C`,
    );
    const end = await runForeground(
      session.world,
      "device/service-manager/main",
      ["--root", root],
      (line) => session.note(plain(line)),
    );
    if (session.world.interrupted.aborted || end.code === 0) {
      return {
        schema: "upbeat.deviceRun/1",
        data: { root, stopped: true },
        text: () => "Stopped.",
      };
    }
    throw new UpbeatError("UPB-CLI-SERVICES-STOPPED", {
      object: root,
      detail:
        end.signal === null
          ? `the service manager ended with code ${end.code}`
          : `ended by ${end.signal}`,
    });
  },
});

export const device = group("device", "Make this machine one that is kept up to date", [
  enrol,
  run,
]);
