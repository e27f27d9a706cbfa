/** Services as a table and in words: what `upbeat services` prints and what its screen is made of. */
import type { ServiceInfo } from "../../protocol/servicesApi.ts";
import { count, plain, when } from "./format.ts";
import type { Style } from "./style.ts";
import { table, width } from "./table.ts";

export function statusText(style: Style, { state }: Pick<ServiceInfo, "state">): string {
  if (state === "running") return style.good(state);
  return state === "failed" ? style.bad(state) : style.warn(state);
}

/** `code 7, 3 min ago`; undefined: it never ended by itself, or ended well. */
export function lastError({ lastExit }: ServiceInfo, nowMs: number): string | undefined {
  if (lastExit === undefined || lastExit.code === 0) return undefined;
  const how = lastExit.signal ?? `code ${lastExit.code ?? "?"}`;
  return `${how}, ${when(lastExit.atMs, nowMs)}`;
}

/** Why it is as it is and what comes next, where that is not plain from its state. */
export function stateSentence(service: ServiceInfo, nowMs: number): string | undefined {
  const { state, restarts, nextStartMs, startUp } = service;
  if (state === "failed")
    return `It ended again and again and is not started any more, after ${count(restarts, "restart")}. Read its last words, then start it.`;
  if (state === "backing-off")
    return nextStartMs === undefined
      ? "It ended by itself and is started again soon."
      : `It ended by itself and is started again ${when(nextStartMs, nowMs)}.`;
  if (state === "stopped" && startUp === "disabled")
    return "It is disabled: nothing starts it until it is enabled.";
  return undefined;
}

export const lastWords = ({ state, lastExit }: ServiceInfo): string[] =>
  state === "running" || lastExit === undefined
    ? []
    : lastExit.lastWords.split("\n").filter(Boolean).map(plain);

const HEAD = ["SERVICE", "STATUS", "START-UP", "PID", "SINCE", "RESTARTS"];
const WIDE_HEAD = [...HEAD, "ACCOUNT", "DEPENDS ON", "LAST ERROR"];

/** As services.msc shows them; in a narrow terminal what does not fit stands below in words. */
export function servicesText(
  style: Style,
  found: readonly ServiceInfo[],
  { nowMs, columns }: { readonly nowMs: number; readonly columns: number },
): string {
  const rows = found.map((one) => [
    one.name,
    statusText(style, one),
    one.startUp,
    one.pid === undefined ? "-" : String(one.pid),
    when(one.sinceMs, nowMs),
    String(one.restarts),
    one.account,
    one.dependsOn.join(", ") || "-",
    lastError(one, nowMs) ?? "-",
  ]);
  const wide = table(style, WIDE_HEAD, rows);
  const isWide = wide.split("\n").every((line) => width(line) <= columns);
  const shown = isWide
    ? wide
    : table(
        style,
        HEAD,
        rows.map((row) => row.slice(0, HEAD.length)),
      );
  return [shown, "", ...found.flatMap((one) => aboutService(style, one, nowMs, isWide))].join("\n");
}

function aboutService(style: Style, one: ServiceInfo, nowMs: number, isWide: boolean): string[] {
  const sentence = stateSentence(one, nowMs);
  const words = lastWords(one);
  return [
    `${style.bold(one.name)}  ${one.description}`,
    ...(isWide ? [] : [`  ${style.dim(detailLine(one, nowMs))}`]),
    ...(sentence === undefined ? [] : [`  ${style.warn(sentence)}`]),
    ...(words.length === 0 ? [] : [`  ${style.dim("Its last words:")}`]),
    ...words.map((line) => `    ${style.dim(line)}`),
  ];
}

export function detailLine(one: ServiceInfo, nowMs: number): string {
  const needs = one.dependsOn.length === 0 ? "" : `, depends on ${one.dependsOn.join(", ")}`;
  const error = lastError(one, nowMs);
  return `account ${one.account}${needs}${error === undefined ? "" : `, last error ${error}`}`;
}
