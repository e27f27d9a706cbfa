/** `upbeat updates …`: what is published. Retiring signs, so it needs the channel's key. */
import { z } from "zod";
import { Audience, PublishedUpdate, UpdateStorage } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, formatUpdate, type Product, type Version } from "../../protocol/ids.ts";
import { command, group } from "../command.ts";
import { PASSPHRASE_OPTION, PassphraseInput } from "../keys/passphrase.ts";
import { KEYS_OPTION, KeysInput } from "../keys/where.ts";
import { UpdateName } from "../policy/words.ts";
import { bytes, count, moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts, table } from "../screen/table.ts";
import { type ServerClient, serverClient } from "../serverClient.ts";
import { SERVER_OPTIONS, ServerInput, serverSettings } from "../settings.ts";

const UPDATE_ARGUMENT = { "<update>": { text: "PRODUCT@VERSION" } };
const list = command({
  name: "list",
  summary: "List what is published",
  options: SERVER_OPTIONS,
  examples: [["upbeat updates list", "newest first"]],
  input: z.object(ServerInput),
  run: async (input, { world }) => {
    const updates = await published(serverClient(serverSettings(world, input), world.interrupted));
    return {
      schema: "upbeat.updates/1",
      data: { updates },
      text: (style) => listText(style, updates),
    };
  },
});

const show = command({
  name: "show",
  args: UPDATE_ARGUMENT,
  summary: "Show one published update, and what lies on the server for it",
  options: SERVER_OPTIONS,
  examples: [
    ["upbeat updates show kiosk@1.4.0", "its id, its objects and its patches, with sizes"],
  ],
  input: z.object({ ...ServerInput, update: UpdateName }),
  run: async ({ update, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const found = await find(client, update);
    const path = `api/v1/updates/${update.product}/${encodeURIComponent(update.version)}/storage`;
    const { storage } = await client.get(path, z.object({ storage: z.array(UpdateStorage) }));
    return {
      schema: "upbeat.updates/1",
      data: { updates: found, storage },
      text: (style) =>
        found
          .map((one) => showText(style, one, !one.retired && storageOf(storage, one.channel)))
          .join("\n\n"),
    };
  },
});

const audience = command({
  name: "audience",
  args: UPDATE_ARGUMENT,
  summary: "Show who would get an update, and when",
  details:
    "Decided on the server by the code that decides on the machines, from what they have reported and\nwhat is signed.",
  options: SERVER_OPTIONS,
  examples: [["upbeat updates audience kiosk@1.4.0", "now, later by day, and why others do not"]],
  input: z.object({ ...ServerInput, update: UpdateName }),
  run: async ({ update: { product, version }, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const path = `api/v1/updates/${product}/${encodeURIComponent(version)}/audience`;
    const found = await client.get(path, Audience);
    return {
      schema: "upbeat.audience/1",
      data: { audience: found },
      text: (style) => audienceText(style, found),
    };
  },
});

const retire = command({
  name: "retire",
  args: UPDATE_ARGUMENT,
  summary: "Stop offering an update; machines that have it keep it",
  options: [
    ...SERVER_OPTIONS,
    KEYS_OPTION,
    PASSPHRASE_OPTION,
    { flags: "--channel <name>", text: "from which channel (default stable)" },
  ],
  examples: [["upbeat updates retire kiosk@1.4.0", "no machine is offered it any more"]],
  input: z.object({
    ...ServerInput,
    ...KeysInput,
    ...PassphraseInput,
    update: UpdateName,
    channel: Channel.prefault("stable"),
  }),
  run: async (input, session) => {
    const { retire: retireUpdate } = await import("../publishing/retire.ts");
    await retireUpdate(session, input, input.update);
    return {
      schema: "upbeat.retired/1",
      data: { ...input.update, channel: input.channel },
      text: (style) =>
        `${style.good(style.marks.done)} ${formatUpdate(input.update)} is not offered in ${input.channel} any more`,
    };
  },
});

export const updates = group("updates", "See and retire what is published", [
  list,
  show,
  audience,
  retire,
]);

const published = async (client: ServerClient): Promise<PublishedUpdate[]> =>
  (await client.get("api/v1/updates", z.object({ updates: z.array(PublishedUpdate) }))).updates;

async function find(
  client: ServerClient,
  { product, version }: { product: Product; version: Version },
): Promise<PublishedUpdate[]> {
  const all = await published(client);
  const found = all.filter((one) => one.product === product && one.version === version);
  if (found.length > 0) return found;
  throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: formatUpdate({ product, version }) });
}

function listText(style: Style, all: readonly PublishedUpdate[]): string {
  if (all.length === 0)
    return "Nothing is published. Next: upbeat publish FOLDER --product P --version V";
  const rows = all.map((one) => [
    formatUpdate(one),
    one.channel,
    one.classification,
    count(one.files, "file"),
    bytes(one.sizeBytes),
    moment(Date.parse(one.publishedAt)),
    one.retired ? style.warn("retired") : style.good("offered"),
    plain(one.title),
  ]);
  const head = ["UPDATE", "CHANNEL", "CLASS", "FILES", "SIZE", "PUBLISHED", "STATE", "TITLE"];
  return table(style, head, rows);
}

const storageOf = (all: readonly UpdateStorage[], channel: Channel): UpdateStorage | undefined =>
  all.find((one) => one.channel === channel);

const showText = (
  style: Style,
  one: PublishedUpdate,
  storage: UpdateStorage | undefined | false,
): string =>
  facts(style, [
    ["Update", style.bold(formatUpdate(one))],
    ["Manifest", one.manifestSha256],
    ["Title", plain(one.title)],
    ["Channel", one.channel],
    ["Class", one.classification],
    ["Payload", `${count(one.files, "file")}, ${bytes(one.sizeBytes)}`],
    ["Published", moment(Date.parse(one.publishedAt))],
    ["State", one.retired ? style.warn("retired") : style.good("offered")],
    ...(storage ? storageFacts(storage, one) : []),
  ]);

function storageFacts(storage: UpdateStorage, { sizeBytes }: PublishedUpdate): [string, string][] {
  const { packs, files, shared, lists, wholeBytes, patches } = storage;
  const sum = (what: UpdateStorage["packs"], one: string) =>
    `${count(what.objects, one)}, ${bytes(what.sizeBytes)}`;
  const others =
    shared.objects === 0 ? "" : `; ${bytes(shared.sizeBytes)} shared with other versions`;
  return [
    ["Packs", sum(packs, "object")],
    ["Files", `${sum(files, "object")}${others}`],
    ["Lists", sum(lists, "object")],
    ["Whole", `${bytes(wholeBytes)} for a machine that has nothing, of ${bytes(sizeBytes)}`],
    ...patches.map((patch): [string, string] => [
      "Patch",
      `from ${patch.from ?? "a version that is gone"}: ${bytes(patch.sizeBytes)}, makes ${bytes(patch.writeBytes)}`,
    ]),
  ];
}

function audienceText(style: Style, found: Audience): string {
  if (found.devices.length === 0)
    return `No machine follows ${found.product}. Let one in with: upbeat devices token`;
  const held = found.notOffered.map(({ reason, devices }) => `${devices} ${reason}`).join(", ");
  const about = facts(style, [
    ["Update", style.bold(formatUpdate(found))],
    ["Offered", count(found.offered, "machine")],
    ["Later", count(found.later, "machine")],
    ["Installed", count(found.installed, "machine")],
    ["Not offered", held === "" ? undefined : held],
    ["Unknown", found.unknown === 0 ? undefined : `${found.unknown} have not reported yet`],
  ]);
  const days = found.arrivals.map(({ dayMs, devices }) => [
    new Date(dayMs).toISOString().slice(0, 10),
    String(devices),
  ]);
  const rows = found.devices.map((device) => [
    device.deviceId,
    plain(device.name),
    device.atMs === undefined ? device.outcome : `${device.outcome}: ${moment(device.atMs)}`,
    plain(device.detail ?? ""),
  ]);
  return [
    about,
    ...(days.length === 0 ? [] : [table(style, ["REACHED ON", "MACHINES"], days)]),
    ...(rows.length === 0 ? [] : [table(style, ["DEVICE", "NAME", "OFFERED", "WHY"], rows)]),
  ].join("\n\n");
}
