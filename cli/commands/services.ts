/** `upbeat services …`: the service console. */
import { z } from "zod";
import { actOnService, listServices, serviceLogs } from "../../device/deviceCalls.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  SERVICE_NAMES,
  ServiceAction,
  type ServiceInfo,
  ServiceName,
} from "../../protocol/servicesApi.ts";
import { type Answer, type Command, command, group, type Session } from "../command.ts";
import { plain } from "../screen/format.ts";
import { servicesText } from "../screen/serviceText.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { watchServices } from "../watchServices.ts";

const list = command({
  name: "list",
  summary: "Show both services: status, start-up type, process, last error, last words",
  details:
    "With --watch a screen that follows them: arrows choose a service; s starts it, t stops it, r restarts it,\ne enables it, d disables it, l shows its log, q ends. What depends on a service stops before it and starts\nafter it.",
  options: [ROOT_OPTION, { flags: "--watch", text: "a screen that follows them, with keys" }],
  examples: [
    ["upbeat services", "the same as `upbeat services list`"],
    ["upbeat services --watch", "look on, start and stop with single keys"],
    ["upbeat services --json | jq -r '.services[] | .name + \" \" + .state'", "for a script"],
  ],
  input: z.object({ ...RootInput, watch: z.boolean().default(false) }),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    if (input.watch && session.json)
      throw new UpbeatError("UPB-CLI-USAGE", {
        object: "upbeat services",
        detail: "--watch is for people and --json for programs: take one of them",
      });
    if (!input.watch) return answer(await listServices(root), session);
    await watchServices(session.world, root);
    return undefined;
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
        return answer(await listServices(device), session);
      },
    }),
);

export const services = group(
  "services",
  "Look at, start and stop the two services of this machine",
  [list, ...actions, logs],
  "list",
);

const answer = (found: readonly ServiceInfo[], { world }: Pick<Session, "world">): Answer => ({
  schema: "upbeat.services/1",
  data: { services: found },
  text: (style) => servicesText(style, found, { nowMs: world.now(), columns: world.out.columns }),
});
