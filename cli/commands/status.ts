/** `upbeat status`: what this device is doing, has, and waits for. */
import { z } from "zod";
import { deviceStatus } from "../../device/deviceCalls.ts";
import { formatUpdate } from "../../protocol/ids.ts";
import type { DeviceStatus } from "../../protocol/orchestratorApi.ts";
import { command } from "../command.ts";
import { bytes, count, fromTo, plain, when } from "../screen/format.ts";
import { wholeText } from "../screen/progress.ts";
import type { Style } from "../screen/style.ts";
import { facts } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { restartText } from "./restart.ts";

export const status = command({
  name: "status",
  summary: "Show what this machine is doing, what it has and what waits",
  options: [ROOT_OPTION],
  examples: [
    ["upbeat status", "the whole picture on one screen"],
    ["upbeat status --json | jq .status.offers", "offered updates for a script"],
  ],
  input: z.object(RootInput),
  run: async (input, session) => {
    const found = await deviceStatus(deviceRoot(session.world, input));
    const nowMs = session.world.now();
    return {
      schema: "upbeat.status/1",
      data: { status: found },
      text: (style) => statusText(style, found, nowMs),
    };
  },
});

export function statusText(style: Style, found: DeviceStatus, nowMs: number): string {
  const installed = found.products.map((one) => {
    if (one.current === undefined) return `${one.product} not installed`;
    const back =
      one.previous === undefined
        ? ""
        : `  ${style.dim(`rollback to ${one.previous}${one.rollbackUntilMs === undefined ? "" : `, kept until ${when(one.rollbackUntilMs, nowMs)}`}`)}`;
    return `${one.product} ${style.bold(one.current)} (${one.channel})${back}`;
  });
  const waiting = found.offers.map(
    (offer) =>
      `${style.accent(fromTo(offer.update.product, offer.installedVersion, offer.update.version, style.marks.arrow))}  ${bytes(offer.sizeBytes)}  ${offer.classification}  ${plain(offer.title)}`,
  );
  const problems = found.updates
    .filter((update) => update.state === "failed" || update.state === "rolled-back")
    .map((update) => {
      const why = update.error === undefined ? "" : `: ${update.error.text} (${update.error.code})`;
      return `${style.warn(`${update.product}@${update.version} ${update.state}`)}${plain(why)}`;
    });
  const check = found.lastCheckMs === undefined ? "never" : when(found.lastCheckMs, nowMs);
  const next = found.nextCheckMs === undefined ? "" : `, next ${when(found.nextCheckMs, nowMs)}`;
  return facts(style, [
    ["Now", `${plain(found.now)}${since(found, nowMs)}`],
    ...activityRows(style, found, nowMs),
    ["Device", found.deviceId ?? style.warn("not enrolled")],
    ["Server", found.serverUrl === undefined ? undefined : plain(found.serverUrl)],
    [
      "Services",
      `orchestrator ${style.good("running")} (pid ${found.pid}), update service ${found.updateService === "running" ? style.good("running") : style.bad("not running")}`,
    ],
    ["Checked", `${check}${next}`],
    [
      "Problem",
      found.lastCheckError &&
        style.bad(
          `${found.lastCheckError.text}: ${plain(found.lastCheckError.object)} (${found.lastCheckError.code})`,
        ),
    ],
    [
      "Trust",
      found.trust &&
        `root ${found.trust.versions.root ?? "?"}, timestamp ${found.trust.versions.timestamp ?? "?"}, runs out ${when(found.trust.expiresMs, nowMs)}`,
    ],
    ["Reports", found.reportsWaiting === 0 ? "all delivered" : `${found.reportsWaiting} waiting`],
    [
      "Settings",
      found.settingsProblem &&
        style.bad(
          `${found.settingsProblem.text}: ${plain(found.settingsProblem.detail ?? found.settingsProblem.object)} (${found.settingsProblem.code})`,
        ),
    ],
    [
      "Paused",
      found.paused &&
        style.warn(
          `until ${when(found.paused.untilMs, nowMs)}${found.paused.setBy === "user" ? "; end it with `upbeat resume`" : ` by the ${found.paused.setBy}`}`,
        ),
    ],
    ["Restart", found.restart && style.warn(restartText(found.restart, nowMs))],
    [
      "",
      found.restartError &&
        style.bad(`${plain(found.restartError.text)}: ${plain(found.restartError.detail ?? "")}`),
    ],
    ...several("Installed", installed, "nothing"),
    ...several("Attention", problems),
    ...several("Offered", waiting, "nothing"),
    ...several("Waits", found.waiting.flatMap(waitLines(nowMs))),
    ...several(
      "Providers",
      found.providers.map(({ provider, updates, failure }) =>
        failure === undefined
          ? `${provider}: ${count(updates.length, "update")}`
          : style.warn(`${provider}: ${plain(failure)}`),
      ),
    ),
    ...several(
      "Objections",
      found.inhibitors.map(
        ({ who, why, untilMs }) =>
          `${plain(who)}: ${plain(why)}${untilMs === undefined ? "" : `, until ${when(untilMs, nowMs)}`}`,
      ),
    ),
    ...several("Found", foundLines(style, found, nowMs)),
    ["Next step", nextStep(found)],
  ]);
}

/** What the troubleshooter found by itself or when it was asked last. */
function foundLines(style: Style, { found }: DeviceStatus, nowMs: number): string[] {
  const open = found?.findings ?? [];
  return open.map(({ severity, title, object }, at) => {
    const mark = severity === "problem" ? style.bad : style.warn;
    const when_ =
      at === 0
        ? `  ${style.dim(`${when(found?.atMs ?? nowMs, nowMs)}; more with \`upbeat troubleshoot\``)}`
        : "";
    return `${mark(plain(title))}: ${plain(object)}${when_}`;
  });
}

/** Since when it does what it does. */
function since({ running, activity }: DeviceStatus, nowMs: number): string {
  const sinceMs = running?.startedMs ?? activity?.sinceMs;
  if (sinceMs === undefined) return "";
  return ` (${running === undefined ? "as of" : "since"} ${when(sinceMs, nowMs)})`;
}

/** How far all of it is, what it waits for, when that would be too long, and what to do then. */
function activityRows(
  style: Style,
  { running, activity }: DeviceStatus,
  nowMs: number,
): (readonly [string, string | undefined])[] {
  if (activity === undefined) return [];
  const { waitsFor, untilMs, sinceMs, stuckMs, stuck, advice } = activity;
  const step =
    running === undefined || sinceMs === undefined ? "" : `, since ${when(sinceMs, nowMs)}`;
  const until = untilMs === undefined ? "" : `, ${when(untilMs, nowMs)}`;
  return [
    ["Progress", running?.whole && wholeText(style, running.whole)],
    ["Waits for", `${plain(waitsFor)}${step}${until}`],
    stuck === undefined
      ? [
          "Stuck",
          stuckMs === undefined
            ? undefined
            : style.dim(`no; if nothing moves ${when(stuckMs, nowMs)}, it is`),
        ]
      : [
          "Stuck",
          style.bad(`${stuck.text}: ${plain(stuck.detail ?? stuck.object)} (${stuck.code})`),
        ],
    ["What to do", plain(advice)],
  ];
}

const waitLines =
  (nowMs: number) =>
  ({ update, waiting }: DeviceStatus["waiting"][number]): string[] =>
    waiting.map(({ sentence, untilMs }) => {
      const until = untilMs === undefined ? "" : ` Until ${when(untilMs, nowMs)}.`;
      return `${formatUpdate(update)}: ${plain(sentence)}${until}`;
    });

function several(label: string, lines: readonly string[], none?: string) {
  if (lines.length === 0) return [[label, none] as const];
  return lines.map((line, at) => [at === 0 ? label : "", line] as const);
}

function nextStep(found: DeviceStatus): string {
  if (found.deviceId === undefined)
    return "upbeat device enrol URL --token TOKEN --product PRODUCT";
  if (found.updateService === "not-running") return "upbeat services";
  if (found.found?.findings.some(({ severity }) => severity === "problem") === true)
    return "upbeat troubleshoot --fix";
  if (found.restart !== undefined) return "upbeat restart now";
  if (found.offers.length > 0) return "upbeat install";
  return found.lastCheckMs === undefined ? "upbeat check" : "nothing to do";
}
