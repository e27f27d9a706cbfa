/** `upbeat publish FOLDER`: a folder becomes a signed update. */
import { z } from "zod";
import { Channel, formatUpdate, Product, Version } from "../../protocol/ids.ts";
import { CLASSIFICATIONS, HealthCheck, SEVERITIES } from "../../protocol/manifest.ts";
import { command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { PASSPHRASE_OPTION, PassphraseInput } from "../keys/passphrase.ts";
import { KEYS_OPTION, KeysInput } from "../keys/where.ts";
import { ProductOrUpdate } from "../policy/words.ts";
import type { PatchCost } from "../publishing/delivery.ts";
import type { PublishCost, Published } from "../publishing/publish.ts";
import type { Growth } from "../publishing/upload.ts";
import { bytes, count, duration } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts } from "../screen/table.ts";
import { inFolder, readText, SERVER_OPTIONS, ServerInput } from "../settings.ts";

const RESTARTS = ["never", "canRequest", "always"] as const;

/** A JSON array, or words between spaces: there is no shell, so nothing is expanded or unquoted. */
const Words = z.string().transform((text, context): string[] => {
  if (!text.trimStart().startsWith("[")) return text.split(/\s+/).filter(Boolean);
  const parsed = z.array(z.string()).min(1).safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  context.addIssue("expected a JSON array of strings, or words between spaces");
  return z.NEVER;
});

export const publish = command({
  name: "publish",
  args: { "<folder>": { text: "the folder whose files are the update", completes: "folder" } },
  summary: "Sign a folder as an update and publish it",
  details:
    "Only what the server has not got is uploaded, compressed; patches are made from the versions before\nand from those that most machines have. What was interrupted goes on where it was. Publishing the\nsame content under the same version again adds patches that machines want by now, or ends with code 2.",
  options: [
    { flags: "--product <name>", text: "what it is a version of" },
    { flags: "--version <version>", text: "e.g. 1.4.0" },
    { flags: "--channel <name>", text: "who signs and who gets it (default stable)" },
    { flags: "--title <text>", text: "one line for people (default: PRODUCT VERSION)" },
    { flags: "--description <text>", text: "a few sentences for people" },
    { flags: "--notes-file <file>", text: "release notes", completes: "file" },
    { flags: "--classification <class>", text: "default update", choices: CLASSIFICATIONS },
    { flags: "--severity <severity>", text: "default unspecified", choices: SEVERITIES },
    { flags: "--supersedes <update...>", text: "PRODUCT or PRODUCT@VERSION that this replaces" },
    {
      flags: "--health-command <words>",
      text: "run in the new version's folder after the switch; code 0 means healthy",
    },
    { flags: "--health-url <url>", text: "loopback address that must answer 200 after the switch" },
    { flags: "--health-timeout <seconds>", text: "how long one try may take (default 30)" },
    { flags: "--service-restart <words>", text: "run after a switch, e.g. to restart a service" },
    { flags: "--restart <when>", text: "whether the machine restarts", choices: RESTARTS },
    ...SERVER_OPTIONS,
    KEYS_OPTION,
    PASSPHRASE_OPTION,
  ],
  examples: [
    ["upbeat publish ./build --product kiosk --version 1.4.0", "to the channel stable"],
    [
      "upbeat publish ./build --product kiosk --version 1.4.0 --channel beta --classification security",
      "a security update for the machines that follow beta",
    ],
    [
      'upbeat publish ./build --product kiosk --version 1.4.0 --health-command \'["bin/kiosk","--self-test"]\'',
      "a machine on which the self-test fails goes back by itself",
    ],
  ],
  input: z
    .object({
      ...ServerInput,
      ...KeysInput,
      ...PassphraseInput,
      folder: z.string(),
      product: Product,
      version: Version,
      channel: Channel.prefault("stable"),
      title: z.string().min(1).max(200).optional(),
      description: z.string().default(""),
      notesFile: z.string().optional(),
      classification: z.enum(CLASSIFICATIONS).default("update"),
      severity: z.enum(SEVERITIES).default("unspecified"),
      supersedes: z.array(ProductOrUpdate).default([]),
      healthCommand: Words.optional(),
      healthUrl: z.string().optional(),
      healthTimeout: z.coerce.number().positive().max(3600).default(30),
      serviceRestart: Words.optional(),
      restart: z.enum(RESTARTS).default("never"),
    })
    .refine((input) => input.healthCommand === undefined || input.healthUrl === undefined, {
      path: ["healthUrl"],
      message: "a health check is a command or a URL, not both",
    }),
  run: async (input, session) => {
    const timeoutMs = Math.round(input.healthTimeout * 1000);
    const { world } = session;
    const { publishFolder } = await import("../publishing/publish.ts");
    const published = await publishFolder(session, input, inFolder(world, input.folder), {
      product: input.product,
      version: input.version,
      channel: input.channel,
      title: input.title ?? `${input.product} ${input.version}`,
      description: input.description,
      releaseNotes: input.notesFile === undefined ? "" : readText(inFolder(world, input.notesFile)),
      classification: input.classification,
      severity: input.severity,
      supersedes: input.supersedes,
      prerequisites: [],
      children: [],
      applicability: {},
      restart: input.restart,
      userInput: false,
      exclusive: false,
      diskNeededBytes: 0,
      ...(input.serviceRestart && { serviceRestart: input.serviceRestart }),
      ...(input.healthCommand && {
        healthCheck: HealthCheck.parse({
          kind: "command",
          command: input.healthCommand,
          timeoutMs,
        }),
      }),
      ...(input.healthUrl && {
        healthCheck: HealthCheck.parse({ kind: "http", url: input.healthUrl, timeoutMs }),
      }),
    });
    const { is, ...rest } = published;
    return {
      schema: "upbeat.published/1",
      data: { outcome: is, channel: input.channel, ...rest },
      text: (style) => publishedText(style, published, input.channel),
      exitCode: is === "already-there" ? EXIT.nothingToDo : EXIT.ok,
    };
  },
});

function publishedText(style: Style, published: Published, channel: Channel): string {
  const { update, files, sizeBytes, cost } = published;
  const size = `${count(files, "file")}, ${bytes(sizeBytes)}`;
  if (published.is === "already-there") {
    return `Nothing to do: ${formatUpdate(update)} is published in ${channel} with exactly this content (${size}).`;
  }
  return facts(style, [
    [
      published.is === "improved" ? "Improved" : "Published",
      `${style.good(style.marks.done)} ${style.bold(formatUpdate(update))} in ${channel}`,
    ],
    ["Manifest", update.manifestSha256],
    ["Payload", size],
    ...cost.patches.map((patch): [string, string] => ["Patch", patchText(patch)]),
    ["Server", growthText(cost)],
    ["Cost", `${duration(cost.cpuMs)} of CPU, ${bytes(cost.peakMemoryBytes)} of memory at most`],
    ["Next", nextText(published)],
  ]);
}

/** A channel may offer nothing that was only published. */
function nextText({ needs: [first], update }: Published): string {
  const name = formatUpdate(update);
  if (first === "rollout")
    return `upbeat rollouts create ${name}   until then nobody is offered it`;
  if (first === "approval") return `upbeat approvals add ${name}   until then nobody is offered it`;
  return "upbeat check   on a machine, or wait for its next check";
}

const patchText = ({ from, sizeBytes, isWorth }: PatchCost): string =>
  isWorth
    ? `from ${from}: ${bytes(sizeBytes)}`
    : `from ${from}: left out, because fetching files costs hardly more than its ${bytes(sizeBytes)}`;

/** `grew by 1.2 MB: 3 objects of contents 1.1 MB, 1 patch 90 kB, 3 lists 2 kB`. */
function growthText({ growth: { contents, patches, lists } }: PublishCost): string {
  const total = contents.sizeBytes + patches.sizeBytes + lists.sizeBytes;
  const part = ({ objects, sizeBytes }: Growth, one: string, many: string) =>
    `${count(objects, one, many)} ${bytes(sizeBytes)}`;
  return [
    `grew by ${bytes(total)}:`,
    `${part(contents, "object of contents", "objects of contents")},`,
    `${part(patches, "patch", "patches")},`,
    part(lists, "list", "lists"),
  ].join(" ");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema behind it refuses undefined and says what was expected.
    return undefined;
  }
}
