/** `upbeat restart …`: when the machine restarts for what is installed. */
import { z } from "zod";
import { wishRestart } from "../../device/deviceCalls.ts";
import type { RestartPlan } from "../../protocol/decisions.ts";
import type { DeviceStatus } from "../../protocol/orchestratorApi.ts";
import type { RestartWish } from "../../protocol/restartWishes.ts";
import { type Command, command, group, type Session } from "../command.ts";
import { plain, when } from "../screen/format.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { Span } from "../span.ts";

/** Ten in the evening: the day is over and the machine is mostly still on. */
const TONIGHT_HOUR = 22;
const DEFAULT_SNOOZE_MS = 4 * 3_600_000;

const simple = (
  name: string,
  summary: string,
  example: string,
  wish: (nowMs: number) => RestartWish,
): Command =>
  command({
    name,
    summary,
    options: [ROOT_OPTION],
    examples: [[`upbeat restart ${name}`, example]],
    input: z.object(RootInput),
    run: (input, session) => say(input, session, wish(session.world.now())),
  });

const at = command({
  name: "at",
  args: { "<time>": { text: "e.g. 2026-11-25T18:30, in the time zone of this machine" } },
  summary: "Restart at that time",
  options: [ROOT_OPTION],
  examples: [["upbeat restart at 2026-11-25T18:30", "not beyond the deadline"]],
  input: z.object({ ...RootInput, time: z.iso.datetime({ local: true, offset: true }) }),
  run: ({ root, time }, session) =>
    say({ root }, session, { when: "at", atMs: new Date(time).getTime() }),
});

const snooze = command({
  name: "snooze",
  summary: "Put the restart off",
  options: [ROOT_OPTION, { flags: "--for <span>", text: "e.g. 30min or 1d (default 4h)" }],
  examples: [["upbeat restart snooze --for 2h", "not beyond the deadline"]],
  input: z.object({ ...RootInput, for: Span.optional() }),
  run: (input, session) =>
    say(input, session, { when: "snooze", forMs: input.for ?? DEFAULT_SNOOZE_MS }),
});

export const restart = group("restart", "Choose when this machine restarts for its updates", [
  simple("now", "Restart at once", "installs what is pending", () => ({ when: "now" })),
  simple("tonight", "Restart at ten in the evening", "today, or tomorrow after ten", (nowMs) => ({
    when: "at",
    atMs: tonightMs(nowMs),
  })),
  at,
  snooze,
  simple("automatic", "Take back what was chosen", "at the next good moment", () => ({
    when: "automatic",
  })),
]);

function tonightMs(nowMs: number): number {
  const evening = new Date(nowMs);
  evening.setHours(TONIGHT_HOUR, 0, 0, 0);
  if (evening.getTime() <= nowMs) evening.setDate(evening.getDate() + 1);
  return evening.getTime();
}

async function say(input: { root?: string | undefined }, session: Session, wish: RestartWish) {
  const status: DeviceStatus = await wishRestart(deviceRoot(session.world, input), wish);
  const nowMs = session.world.now();
  return {
    schema: "upbeat.restart/1",
    data: { restart: status.restart ?? null },
    text: () => restartText(status.restart, nowMs),
  };
}

/** One line: when, by when at the latest, and what it waits for. */
export function restartText(plan: RestartPlan | undefined, nowMs: number): string {
  if (plan === undefined) return "Nothing waits for a restart.";
  const at = plan.atMs === undefined ? "not before somebody says so" : when(plan.atMs, nowMs);
  const latest =
    plan.deadlineMs === undefined ? "" : `, ${when(plan.deadlineMs, nowMs)} at the latest`;
  const waits = plan.waiting.map(({ sentence }) => plain(sentence)).join(" ");
  return `Restart ${at}${latest}.${waits === "" ? "" : ` ${waits}`}`;
}
