/** `upbeat devices …`: what the server knows about machines, and letting a new one in. */
import { z } from "zod";
import { DeviceDetail, DeviceSummary } from "../../protocol/adminApi.ts";
import { Explanation } from "../../protocol/decisions.ts";
import type { DeviceEvent } from "../../protocol/deviceApi.ts";
import { DeviceId } from "../../protocol/ids.ts";
import { command, group } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { ProductOrUpdate } from "../policy/words.ts";
import { explanationText } from "../screen/explanation.ts";
import { count, moment, plain, when } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts, table } from "../screen/table.ts";
import { serverClient } from "../serverClient.ts";
import { SERVER_OPTIONS, ServerInput, serverSettings } from "../settings.ts";

const list = command({
  name: "list",
  summary: "List the machines that are enrolled",
  options: SERVER_OPTIONS,
  examples: [["upbeat devices list", "one line a machine"]],
  input: z.object(ServerInput),
  run: async (input, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const schema = z.object({ devices: z.array(DeviceSummary) });
    const { devices } = await client.get("api/v1/devices", schema);
    return {
      schema: "upbeat.devices/1",
      data: { devices },
      text: (style) => listText(style, devices, world.now()),
    };
  },
});

const show = command({
  name: "show",
  args: { "<device>": { text: "its id, as `upbeat devices list` prints it" } },
  summary: "Show one machine: facts, products, what happened",
  options: SERVER_OPTIONS,
  examples: [["upbeat devices show dev-0123456789abcdef0123456789abcdef", "all that is known"]],
  input: z.object({ ...ServerInput, device: DeviceId }),
  run: async ({ device, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const found = await client.get(`api/v1/devices/${device}`, DeviceDetail);
    return {
      schema: "upbeat.device/1",
      data: { device: found },
      text: (style) => showText(style, found, world.now()),
    };
  },
});

const why = command({
  name: "why",
  args: {
    "<device>": { text: "its id, as `upbeat devices list` prints it" },
    "<update>": { text: "PRODUCT or PRODUCT@VERSION" },
  },
  summary: "Say why a machine is or is not offered an update, as the machine itself would",
  details: "Decided on the server by the same code, from what the machine has reported last.",
  options: SERVER_OPTIONS,
  examples: [
    [
      "upbeat devices why dev-0123456789abcdef0123456789abcdef kiosk@1.4.0",
      "and how it came to it",
    ],
  ],
  input: z.object({ ...ServerInput, device: DeviceId, update: ProductOrUpdate }),
  run: async ({ device, update, ...input }, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const path = [update.product, ...(update.version === undefined ? [] : [update.version])];
    const found = await client.get(
      `api/v1/devices/${device}/why/${path.map(encodeURIComponent).join("/")}`,
      Explanation,
    );
    return {
      schema: "upbeat.explanation/1",
      data: { explanation: found },
      text: (style) => explanationText(style, found),
      exitCode: found.outcome === "unknown" ? EXIT.notFound : EXIT.ok,
    };
  },
});

const token = command({
  name: "token",
  summary: "Make a token with which one machine can enrol, once",
  details:
    "The token also names the first root metadata, so that the machine need not believe the first\nserver that answers.",
  options: SERVER_OPTIONS,
  examples: [["upbeat devices token", "prints the token; give it to `upbeat device enrol`"]],
  input: z.object(ServerInput),
  run: async (input, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const made = await client.post("api/v1/enrolment-tokens", {}, z.object({ token: z.string() }));
    return {
      schema: "upbeat.enrolmentToken/1",
      data: made,
      // Alone on stdout, so that `$(upbeat devices token)` is the token.
      text: () => plain(made.token),
    };
  },
});

export const devices = group("devices", "See the machines that the server knows", [
  list,
  show,
  why,
  token,
]);

function listText(style: Style, found: readonly DeviceSummary[], nowMs: number): string {
  if (found.length === 0) return "No machine is enrolled. Let one in with: upbeat devices token";
  const rows = found.map((device) => [
    device.deviceId,
    plain(device.name),
    device.lastSeenMs === undefined ? "never" : when(device.lastSeenMs, nowMs),
    productsText(device.products),
    device.lastEvent === undefined ? "" : eventText(style, device.lastEvent),
  ]);
  const head = ["DEVICE", "NAME", "LAST SEEN", "PRODUCTS", "LAST EVENT"];
  return `${table(style, head, rows)}\n${style.dim(count(found.length, "device"))}`;
}

function showText(style: Style, device: DeviceDetail, nowMs: number): string {
  const about = facts(style, [
    ["Device", style.bold(device.deviceId)],
    ["Name", plain(device.name)],
    ["Enrolled", moment(device.enrolledMs)],
    ["Last seen", device.lastSeenMs === undefined ? "never" : when(device.lastSeenMs, nowMs)],
    ["Products", productsText(device.products)],
  ]);
  const known = Object.entries(device.facts).map(([name, value]) => [
    plain(name),
    plain(String(value)),
  ]);
  const events = device.events.map((event) => [moment(event.atMs), eventText(style, event)]);
  return [
    about,
    table(style, ["FACT", "VALUE"], known),
    table(style, ["WHEN", "EVENT"], events),
  ].join("\n\n");
}

const productsText = (products: DeviceSummary["products"]): string =>
  products.map((one) => `${one.product} ${one.current ?? "(none)"}`).join(", ");

function eventText(style: Style, event: DeviceEvent): string {
  const problem = event.error === undefined ? "" : style.warn(`  ${plain(event.error.code)}`);
  return event.kind === "check"
    ? `check: ${event.outcome}${problem}`
    : `${event.product}@${event.version} ${event.state}${problem}`;
}
