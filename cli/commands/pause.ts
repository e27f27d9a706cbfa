/** `upbeat pause` and `upbeat resume`: nothing new for a while. */
import { z } from "zod";
import { changeSettings } from "../../device/deviceCalls.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type EffectivePolicy, PAUSE_MAX_DAYS, Pause } from "../../protocol/settings.ts";
import { type Answer, command } from "../command.ts";
import { plain, when } from "../screen/format.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { Span } from "../span.ts";

const DEFAULT_PAUSE_MS = 7 * 86_400_000;

export const pause = command({
  name: "pause",
  summary: "Let nothing new come to this machine for a while",
  details: `At most ${PAUSE_MAX_DAYS} days at once; pause again to renew it. What waits for a restart already still does.`,
  options: [
    ROOT_OPTION,
    { flags: "--until <date>", text: "e.g. 2026-12-24 or 2026-12-24T18:00" },
    { flags: "--for <span>", text: "e.g. 3d or 2w (default 7d)" },
  ],
  examples: [
    ["upbeat pause", "for a week"],
    ["upbeat pause --until 2026-12-24", "until that morning"],
  ],
  input: z.object({
    ...RootInput,
    until: z.iso
      .date()
      .or(z.iso.datetime({ local: true }))
      .optional(),
    for: Span.optional(),
  }),
  run: async (input, session) => {
    const nowMs = session.world.now();
    const untilMs =
      input.until === undefined ? nowMs + (input.for ?? DEFAULT_PAUSE_MS) : localMs(input.until);
    const wish = { setAt: new Date(nowMs).toISOString(), until: new Date(untilMs).toISOString() };
    const parsed = Pause.safeParse(wish);
    if (!parsed.success || untilMs <= nowMs) {
      throw new UpbeatError("UPB-SETTINGS-REFUSED", {
        object: wish.until,
        detail: `expected a time within the next ${PAUSE_MAX_DAYS} days`,
      });
    }
    const root = deviceRoot(session.world, input);
    return answer(await changeSettings(root, { set: { pause: parsed.data }, unset: [] }), nowMs);
  },
});

export const resume = command({
  name: "resume",
  summary: "End the pause of this machine",
  options: [ROOT_OPTION],
  examples: [["upbeat resume", "what was held back is offered again"]],
  input: z.object(RootInput),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    return answer(await changeSettings(root, { set: {}, unset: ["pause"] }), session.world.now());
  },
});

/** A date alone is its first moment here, not in Greenwich. */
function localMs(text: string): number {
  return new Date(text.includes("T") ? text : `${text}T00:00`).getTime();
}

function answer(policy: EffectivePolicy, nowMs: number): Answer {
  const found = policy.settings.find(({ key }) => key === "pause");
  const current = Pause.safeParse(found?.value).data;
  const untilMs = current === undefined ? 0 : Date.parse(current.until);
  const forbidden = found?.overruled.find(({ layer }) => layer === "user");
  return {
    schema: "upbeat.pause/1",
    data: { pause: current ?? null, setBy: found?.setBy ?? "default" },
    text: (style) => {
      if (untilMs > nowMs) {
        const by = found?.setBy === "user" ? "" : ` (set by the ${found?.setBy})`;
        return `${style.good(style.marks.done)} Paused until ${when(untilMs, nowMs)}${by}.`;
      }
      return forbidden === undefined
        ? `${style.good(style.marks.done)} Not paused.`
        : style.warn(`Your pause does not count: ${plain(forbidden.because)}.`);
    },
  };
}
