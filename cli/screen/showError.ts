/** An error as people read it: what, the facts, what to do, the code. Never a stack. */
import type { ErrorReport } from "../../protocol/errors/error.ts";
import { plain } from "./format.ts";
import type { Style } from "./style.ts";

export function showError(style: Style, report: ErrorReport): string {
  const nearest = report.causes[0];
  const lines = [
    `${style.bad("error:")} ${style.bold(`${report.text}: ${plain(report.object)}`)}`,
    ...(report.detail ?? "")
      .split("\n")
      .filter(Boolean)
      .map((line) => `       ${plain(line)}`),
    ...(nearest === undefined ? [] : [`       ${style.dim(plain(nearest.split("\n")[0] ?? ""))}`]),
    `  ${style.good("do:")}  ${report.remedy}`,
    style.dim(`  ${report.code}   upbeat explain ${report.code}`),
  ];
  return `${lines.join("\n")}\n`;
}
