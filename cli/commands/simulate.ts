/** `upbeat policy simulate`: the next days of this machine, from the code that decides on it. */
import { z } from "zod";
import { simulateDevice } from "../../device/deviceCalls.ts";
import { SIMULATION_MAX_DAYS, type Simulation } from "../../protocol/simulation.ts";
import { command } from "../command.ts";
import { moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

const DEFAULT_DAYS = 30;

export const simulate = command({
  name: "simulate",
  summary: "Print what would happen on this machine and when, as things stand",
  details: "The same code that decides, with a simulated clock. Nothing on the machine changes.",
  options: [ROOT_OPTION, { flags: "--days <n>", text: `how far ahead (default ${DEFAULT_DAYS})` }],
  examples: [["upbeat policy simulate --days 60", "checks, downloads, installs, restarts"]],
  input: z.object({
    ...RootInput,
    days: z.coerce.number().int().min(1).max(SIMULATION_MAX_DAYS).default(DEFAULT_DAYS),
  }),
  run: async ({ root, days }, session) => {
    session.progress.show({ text: `Simulate ${days} days` });
    const found = await simulateDevice(deviceRoot(session.world, { root }), days);
    session.progress.end("done");
    return {
      schema: "upbeat.simulation/1",
      data: { simulation: found },
      text: (style) => simulationText(style, found),
    };
  },
});

function simulationText(style: Style, { events, assumptions, days }: Simulation): string {
  const rows = events.map(({ atMs, sentence }) => [moment(atMs), plain(sentence)]);
  const happening =
    rows.length === 0
      ? `Nothing happens in the next ${days} days.`
      : table(style, ["WHEN", "WHAT"], rows);
  return [happening, "", ...assumptions.map((one) => style.dim(`Assumed: ${one}`))].join("\n");
}
