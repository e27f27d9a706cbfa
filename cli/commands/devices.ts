/** `upbeat devices …`: what the server knows about machines, and letting a new one in. */
import { z } from "zod";
import { DeviceDetail, DeviceSummary, FleetCause } from "../../protocol/adminApi.ts";
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

const causes = command({
  name: "causes",
  summary: "Show what is wrong on how many machines",
  details:
    "Counts what the troubleshooters of machines found last, where their owners let them tell\n(setting reportDiagnoses).",
  options: SERVER_OPTIONS,
  examples: [["upbeat devices causes", "the most frequent cause first"]],
  input: z.object(ServerInput),
  run: async (input, { world }) => {
    const client = serverClient(serverSettings(world, input), world.interrupted);
    const schema = z.object({ causes: z.array(FleetCause) });
    const found = await client.get("api/v1/causes", schema);
    return {
      schema: "upbeat.causes/1",
      data: { causes: found.causes },
      text: (style) => causesText(style, found.causes, world.now()),
    };
  },
});

export const devices = group("devices", "See the machines that the server knows", [
  list,
  show,
  causes,
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
    diagnosisText(style, device.diagnosis, nowMs),
    table(style, ["FACT", "VALUE"], known),
    table(style, ["WHEN", "EVENT"], events),
  ].join("\n\n");
}

/** What its troubleshooter found; what is as it should be takes one line. */
function diagnosisText(style: Style, found: DeviceDetail["diagnosis"], nowMs: number): string {
  if (found === undefined)
    return style.dim("This machine does not tell what its troubleshooter finds (reportDiagnoses).");
  const open = found.findings.filter(({ repaired }) => !repaired);
  const head = `Troubleshooter ${when(found.atMs, nowMs)}: ${open.length === 0 ? style.good("nothing is wrong") : style.bad(count(open.length, "finding"))}`;
  const lines = found.findings.flatMap((finding) => [
    `  ${finding.repaired ? style.good(style.marks.done) : style.bad(style.marks.failed)} ${plain(finding.title)}: ${plain(finding.object)} ${style.dim(finding.cause)}`,
    ...finding.evidence.map((line) => `      ${plain(line)}`),
    ...(finding.repaired ? [] : [`      ${style.dim("Do:")} ${plain(finding.remedy)}`]),
  ]);
  return [head, ...lines].join("\n");
}

function causesText(style: Style, found: readonly FleetCause[], nowMs: number): string {
  if (found.length === 0)
    return "No machine tells of trouble. Machines tell what they find when reportDiagnoses is on.";
  const rows = found.map(({ cause, devices: many, severity, title, newest }) => [
    String(many),
    severity === "problem" ? style.bad(cause) : style.warn(cause),
    plain(title),
    `${plain(newest.name)}, ${when(newest.atMs, nowMs)}`,
  ]);
  return table(style, ["MACHINES", "CAUSE", "MEANS", "LAST ON"], rows);
}

const productsText = (products: DeviceSummary["products"]): string =>
  products.map((one) => `${one.product} ${one.current ?? "(none)"}`).join(", ");

function eventText(style: Style, event: DeviceEvent): string {
  if (event.kind === "decision") return `decided: ${plain(event.summary)}`;
  const problem = event.error === undefined ? "" : style.warn(`  ${plain(event.error.code)}`);
  return event.kind === "check"
    ? `check: ${event.outcome}${problem}`
    : `${event.product}@${event.version} ${event.state}${problem}`;
}
