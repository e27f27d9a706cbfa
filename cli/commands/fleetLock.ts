/** `upbeat fleet-lock …`: how many machines of a group may restart at a time, and who is at it. */
import { z } from "zod";
import {
  LockGroup,
  LockGroupName,
  LockGroupSettings,
  LockHolder,
} from "../../protocol/fleetLock.ts";
import { command, group } from "../command.ts";
import { plain, when } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { serverClient } from "../serverClient.ts";
import { SERVER_OPTIONS, ServerInput, serverSettings } from "../settings.ts";

const GROUP = { text: "name of the group, e.g. default" };
const pathOf = (name: string): string => `api/v1/fleet-locks/${name}`;

const list = command({
  name: "list",
  summary: "List the groups, their slots and who holds them",
  options: SERVER_OPTIONS,
  examples: [["upbeat fleet-lock", "a slot held for hours is a machine that did not come back"]],
  input: z.object(ServerInput),
  run: async (input, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const schema = z.object({ groups: z.array(LockGroup) });
    const { groups } = await client.get("api/v1/fleet-locks", schema);
    return {
      schema: "upbeat.fleetLocks/1",
      data: { groups },
      text: (style) => groupsText(style, groups, world.now()),
    };
  },
});

const set = command({
  name: "set",
  args: { "<group>": GROUP },
  summary: "Make a group, or change how many of its machines may restart at a time",
  details:
    "Machines ask with the FleetLock protocol at the address of the server. With --slots 0 none of\nthem restarts. Without --open only machines that are enrolled here are let in.",
  options: [
    { flags: "--slots <n>", text: "how many may restart at a time" },
    { flags: "--open", text: "let in machines that are not enrolled here, e.g. with Zincati" },
    ...SERVER_OPTIONS,
  ],
  examples: [["upbeat fleet-lock set workers --slots 1", "one worker restarts after the other"]],
  input: z.object({
    ...ServerInput,
    group: LockGroupName,
    slots: z.coerce.number().pipe(LockGroupSettings.shape.slots),
    open: z.boolean().default(false),
  }),
  run: async ({ group: name, slots, open, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const made = await client.post(pathOf(name), { slots, open }, LockGroup);
    return answerOf(made, world.now());
  },
});

const release = command({
  name: "release",
  args: { "<group>": GROUP, "<holder>": { text: "who holds the slot, as the list prints it" } },
  summary: "Take the slot away from a machine that does not come back",
  details: "Look at the machine first: the slot is what keeps the next one from the same fate.",
  options: SERVER_OPTIONS,
  examples: [
    [
      "upbeat fleet-lock release workers dev-0123456789abcdef0123456789abcdef",
      "the next machine of the group may restart",
    ],
  ],
  input: z.object({ ...ServerInput, group: LockGroupName, holder: LockHolder }),
  run: async ({ group: name, holder, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    return answerOf(
      await client.post(`${pathOf(name)}/release`, { holder }, LockGroup),
      world.now(),
    );
  },
});

export const fleetLock = group(
  "fleet-lock",
  "Keep a cluster from restarting as a whole",
  [list, set, release],
  "list",
);

const answerOf = (one: LockGroup, nowMs: number) => ({
  schema: "upbeat.fleetLocks/1",
  data: { groups: [one] },
  text: (style: Style) => groupsText(style, [one], nowMs),
});

function groupsText(style: Style, groups: readonly LockGroup[], nowMs: number): string {
  if (groups.length === 0)
    return "There is no group. Make one: upbeat fleet-lock set default --slots 1";
  const rows = groups.flatMap((one) => {
    const head = [
      one.group,
      `${one.holders.length} of ${one.slots} held`,
      one.open ? style.warn("anybody") : "enrolled machines",
    ];
    const [first, ...more] = one.holders.map(({ holder, sinceMs }) => [
      plain(holder),
      when(sinceMs, nowMs),
    ]);
    return [[...head, ...(first ?? [])], ...more.map((cells) => ["", "", "", ...cells])];
  });
  return table(style, ["GROUP", "SLOTS", "LETS IN", "HOLDER", "SINCE"], rows);
}
