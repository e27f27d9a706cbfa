/** `upbeat troubleshoot`: finds the cause, repairs it, proves it; works when no service does. */
import { resolve } from "node:path";
import { z } from "zod";
import { CAUSES } from "../../protocol/troubleshooting/causes.ts";
import type { Diagnosis, Finding } from "../../protocol/troubleshooting/diagnosis.ts";
import { type Answer, command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { duration, moment, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const troubleshootCommand = command({
  name: "troubleshoot",
  summary: "Find why updates do not work, repair it and prove it",
  details:
    "Looks at this machine, its services and the way to the server. Changes nothing without --fix.\nWith --fix the least destructive repair comes first, what was wrong is tried again, and only what then\nworks is called repaired; history is never touched. Ends within a minute, also when both services are\ndown. Exit code 0: nothing is wrong, or all of it was repaired; 1: something is left to do.",
  options: [
    ROOT_OPTION,
    { flags: "--fix", text: "repair what can be repaired" },
    { flags: "--undo", text: "take the repairs of the last --fix back" },
    {
      flags: "--bundle <file>",
      text: "judge a support bundle of another machine instead, offline",
    },
    { flags: "--list", text: "show what is looked at, and what does not apply on this system" },
  ],
  examples: [
    ["upbeat troubleshoot", "look only"],
    ["upbeat troubleshoot --fix", "repair what can be repaired, and prove it"],
    ["upbeat troubleshoot --bundle support.tar.gz", "what was wrong on the machine that made it"],
    ["upbeat troubleshoot --list", "every check there is, and what it looks for"],
    ["upbeat troubleshoot --json", "the whole diagnosis for a script"],
  ],
  input: z.object({
    ...RootInput,
    fix: z.boolean().default(false),
    undo: z.boolean().default(false),
    list: z.boolean().default(false),
    bundle: z.string().optional(),
  }),
  run: async (input, { world, progress }) => {
    const root = deviceRoot(world, input);
    if (input.list) return await tableAnswer();
    if (input.bundle !== undefined) return await bundleAnswer(resolve(world.cwd, input.bundle));
    if (input.undo) return await undo(root);
    const { runTroubleshooter } = await import("../../device/troubleshooter/run.ts");
    const diagnosis = await runTroubleshooter({
      root,
      env: world.env,
      repair: input.fix,
      signal: world.interrupted,
      listener: {
        onCheck({ title, outcome }) {
          progress.show({ text: title });
          progress.end(outcome === "found" ? "failed" : "done");
        },
        onRepair: (finding, what) => progress.show({ text: `${what} (${plain(finding.object)})` }),
        onFinalCheck: () => progress.show({ text: "Check for updates" }),
      },
    });
    return diagnosisAnswer(diagnosis);
  },
});

/** Only what is in the file counts: nothing is looked at here, and nothing can be repaired. */
async function bundleAnswer(file: string): Promise<Answer> {
  const { judgeBundle } = await import("../../device/troubleshooter/bundle/evidence.ts");
  const diagnosis = await judgeBundle(file);
  const seen = `Judged from what was seen there at ${moment(diagnosis.atMs)}; a repair is made there, with --fix.`;
  return {
    ...diagnosisAnswer(diagnosis),
    text: (style) => `${style.dim(seen)}\n${diagnosisText(style, diagnosis, false)}`,
  };
}

async function tableAnswer(): Promise<Answer> {
  const { tableOfChecks } = await import("../../device/troubleshooter/rows.ts");
  const rows = tableOfChecks();
  const cells = rows.map(({ row, what, checks, because }) => [
    String(row),
    what,
    because === undefined ? checks.map(({ title }) => title).join(", ") : `not here: ${because}`,
  ]);
  return {
    schema: "upbeat.checks/1",
    data: { rows },
    text: (style) => table(style, ["ROW", "WHAT CAN BE WRONG", "CHECK THAT LOOKS FOR IT"], cells),
  };
}

async function undo(root: string): Promise<Answer> {
  const { devicePaths } = await import("../../device/paths.ts");
  const { undoLast } = await import("../../device/troubleshooter/undo.ts");
  const undone = await undoLast(devicePaths(root));
  return {
    schema: "upbeat.troubleshootUndo/1",
    data: { undone },
    text: () =>
      undone.length === 0 ? "There is nothing to take back." : undone.map(plain).join("\n"),
    exitCode: undone.length === 0 ? EXIT.nothingToDo : EXIT.ok,
  };
}

export function diagnosisAnswer(diagnosis: Diagnosis): Answer {
  const left = diagnosis.findings.filter(
    (it) => it.severity !== "note" && it.repair?.state !== "repaired",
  );
  return {
    schema: "upbeat.diagnosis/1",
    data: { ...diagnosis },
    text: (style) => diagnosisText(style, diagnosis),
    exitCode: left.length === 0 ? EXIT.ok : EXIT.failed,
  };
}

export function diagnosisText(style: Style, diagnosis: Diagnosis, isHere = true): string {
  const { findings, checks, finalCheck, tookMs } = diagnosis;
  const looked = `${checks.length} checks in ${duration(tookMs)}`;
  const unknown = checks
    .filter(({ outcome }) => outcome === "unknown")
    .map((it) => style.warn(`${it.title} could not be looked at: ${plain(it.because ?? "")}`));
  const end =
    finalCheck === undefined ? [] : [`Check for updates at the end: ${plain(finalCheck.says)}`];
  if (findings.length === 0) {
    return [
      `${style.good("Nothing is wrong here.")} ${style.dim(looked)}`,
      ...unknown,
      ...end,
    ].join("\n");
  }
  const open =
    isHere && findings.some((it) => it.repair === undefined && it.canRepair !== undefined);
  return [
    ...findings.map((finding) => findingText(style, finding)),
    ...unknown,
    ...end,
    style.dim(looked),
    ...(open ? ["Repair what can be repaired: upbeat troubleshoot --fix"] : []),
  ].join("\n");
}

function findingText(style: Style, finding: Finding): string {
  const { severity, repair, canRepair, consequences } = finding;
  const repaired = repair?.state === "repaired";
  const mark = repaired
    ? style.good(style.marks.done)
    : severity === "note"
      ? style.dim("i")
      : severity === "warning"
        ? style.warn(style.marks.warn)
        : style.bad(style.marks.failed);
  const row = (label: string, text: string) =>
    `    ${style.dim(`${label.padEnd(9)}:`)} ${plain(text)}`;
  const seen = finding.evidence.map((line, at) => row(at === 0 ? "Seen" : "", line));
  const therefore = [...new Set(consequences.map(({ cause }) => CAUSES[cause].title))].map(
    (title, at) => row(at === 0 ? "Therefore" : "", title),
  );
  const done = (repair?.changed ?? []).map((line, at) => row(at === 0 ? "Done" : "", line));
  const next = repaired
    ? []
    : [
        ...(repair === undefined && canRepair !== undefined
          ? [row("Repair", `--fix: ${canRepair}`)]
          : []),
        row("Do", finding.remedy),
      ];
  return [
    `  ${mark} ${style.bold(finding.title)}: ${plain(finding.object)}${repaired ? style.good("  repaired") : ""}`,
    ...seen,
    ...therefore,
    ...done,
    ...(repair === undefined ? [] : [row("Proof", repair.proof)]),
    ...next,
    "",
  ].join("\n");
}
