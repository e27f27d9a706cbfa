/** `upbeat download --plan`: what would be fetched, by which way, and how that compares. */
import type { DownloadPlan, PlanPart } from "../protocol/downloadPlan.ts";
import { formatUpdate } from "../protocol/ids.ts";
import type { Change } from "../protocol/orchestratorApi.ts";
import { bytes, count, duration, plain } from "./screen/format.ts";
import type { Style } from "./screen/style.ts";
import { table } from "./screen/table.ts";

export function plansText(style: Style, plans: NonNullable<Change["plans"]>): string {
  if (plans.length === 0) return "Nothing to do: no update is offered.";
  return plans.map(({ update, plan }) => planText(style, formatUpdate(update), plan)).join("\n\n");
}

function planText(style: Style, name: string, plan: DownloadPlan): string {
  const time = plan.estimateMs === undefined ? "" : `, about ${duration(plan.estimateMs)}`;
  const head =
    plan.way === "nothing"
      ? `${style.bold(name)}  everything is here already`
      : `${style.bold(name)}  ${bytes(plan.bytes)} in ${count(plan.requests, "request")}${time}`;
  const rows = plan.parts.map((part) => [
    describe(part),
    part.source === "here" ? "" : bytes(part.bytes),
    part.requests === 0 ? "" : part.requests.toLocaleString("en"),
  ]);
  return [
    head,
    table(style, ["FROM", "SIZE", "REQUESTS"], rows),
    style.dim(`A machine that has nothing fetches ${bytes(plan.wholeBytes)}.`),
    ...plan.fellBack.map((error) => style.warn(`No patch: ${plain(error.text)}  ${error.code}`)),
  ].join("\n");
}

function describe({ source, count: number, bytes: size }: PlanPart): string {
  switch (source) {
    case "here":
      return `${count(number, "file")} of ${bytes(size)} that are here`;
    case "patches":
      return number === 1 ? "a patch of what is here" : `${number} patches, one after the other`;
    case "files":
      return count(number, "whole file");
    case "description":
      return "the list of files and where they are";
  }
}
