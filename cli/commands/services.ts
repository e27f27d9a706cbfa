/** `upbeat services …`: the service console. */
import { z } from "zod";
import { actOnService, listServices, serviceLogs } from "../../device/deviceCalls.ts";
import {
  SERVICE_NAMES,
  ServiceAction,
  type ServiceInfo,
  ServiceName,
} from "../../protocol/servicesApi.ts";
import { type Command, command, group } from "../command.ts";
import { plain, when } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

const list = command({
  name: "list",
  summary: "Show both services: state, start-up type, process, last exit",
  options: [ROOT_OPTION],
  examples: [["upbeat services", "the same as `upbeat services list`"]],
  input: z.object(RootInput),
  run: async (input, session) => {
    const services = await listServices(deviceRoot(session.world, input));
    return answer(services, session.world.now());
  },
});

const logs = command({
  name: "logs",
  args: { "<name>": { text: "which service", choices: SERVICE_NAMES } },
  summary: "Print the last lines of a service's log",
  options: [ROOT_OPTION, { flags: "--lines <n>", text: "how many lines (default 50)" }],
  examples: [
    ["upbeat services logs orchestrator", "the last 50 lines"],
    ["upbeat services logs update-service --lines 500", "more of them"],
  ],
  input: z.object({
    ...RootInput,
    name: ServiceName,
    lines: z.coerce.number().int().min(1).max(10_000).default(50),
  }),
  run: async ({ root, name, lines }, session) => {
    const found = await serviceLogs(deviceRoot(session.world, { root }), name, lines);
    return {
      schema: "upbeat.serviceLogs/1",
      data: { name, lines: found },
      text: () => found.map(plain).join("\n"),
    };
  },
});

const SUMMARIES: Record<ServiceAction, string> = {
  start: "Start a service, or both",
  stop: "Stop a service, or both, after what they are doing",
  restart: "Restart a service, or both",
  enable: "Start a service, or both, by itself from now on",
  manual: "Start a service, or both, only when asked to",
  disable: "Stop a service, or both, and never start it again",
};

const actions = ServiceAction.options.map(
  (action): Command =>
    command({
      name: action,
      args: { "[name]": { text: "which service (default: both)", choices: SERVICE_NAMES } },
      summary: SUMMARIES[action],
      options: [ROOT_OPTION],
      examples: [
        [`upbeat services ${action}`, "both services"],
        [`upbeat services ${action} orchestrator`, "one of them"],
      ],
      input: z.object({ ...RootInput, name: ServiceName.optional() }),
      run: async ({ root, name }, session) => {
        const device = deviceRoot(session.world, { root });
        // The orchestrator needs the update service: start from the bottom, stop from the top.
        const both = ["stop", "disable"].includes(action)
          ? SERVICE_NAMES.toReversed()
          : SERVICE_NAMES;
        for (const service of name === undefined ? both : [name]) {
          session.progress.show({ text: `${action} ${service}` });
          await actOnService(device, service, action);
        }
        session.progress.end("done");
        return answer(await listServices(device), session.world.now());
      },
    }),
);

export const services = group(
  "services",
  "Look at, start and stop the two services of this machine",
  [list, ...actions, logs],
  "list",
);

const answer = (found: readonly ServiceInfo[], nowMs: number) => ({
  schema: "upbeat.services/1",
  data: { services: found },
  text: (style: Style) => servicesText(style, found, nowMs),
});

function servicesText(style: Style, found: readonly ServiceInfo[], nowMs: number): string {
  const paint = (state: ServiceInfo["state"]) =>
    state === "running"
      ? style.good(state)
      : state === "failed"
        ? style.bad(state)
        : style.warn(state);
  const rows = found.map((one) => [
    one.name,
    paint(one.state),
    one.startUp,
    one.pid === undefined ? "-" : String(one.pid),
    when(one.sinceMs, nowMs),
    one.account,
    String(one.restarts),
  ]);
  const words = found
    .filter((one) => one.state !== "running" && one.lastExit !== undefined)
    .map((one) => {
      const exit = one.lastExit;
      const how = exit?.signal ? `by ${exit.signal}` : `with code ${exit?.code ?? "?"}`;
      const said = exit?.lastWords ? `: ${plain(exit.lastWords)}` : "";
      return style.dim(`${one.name} last ended ${how}${said}`);
    });
  const head = ["SERVICE", "STATE", "START-UP", "PID", "SINCE", "ACCOUNT", "RESTARTS"];
  return [table(style, head, rows), ...words].join("\n");
}
