/** The lines of a rollout's chart: the signed plan, and what its devices have reported. */
import type { RolloutDetail, RolloutPoint } from "../../../protocol/admin/rollouts.ts";
import type { Line } from "../../kit/chart/TimeChart.tsx";

const STEPS = [
  ["offered", "quiet"],
  ["downloaded", "busy"],
  ["installed", "good"],
  ["failed", "bad"],
  ["rolledBack", "undone"],
] as const;

/**
 * Counts stay as they are until the next report, so they are drawn as steps, and go on to now. A
 * step that nobody has come to is drawn too: that nothing failed is what one looks for.
 */
export function progressLines(
  { plan, actual }: Pick<RolloutDetail, "plan" | "actual">,
  nowMs: number,
  words: (key: string) => string,
): Line[] {
  const first = plan[0]?.atMs ?? nowMs;
  const none: RolloutPoint = {
    atMs: Math.min(first, actual[0]?.atMs ?? first),
    offered: 0,
    downloaded: 0,
    installed: 0,
    failed: 0,
    rolledBack: 0,
  };
  const points = [none, ...actual];
  const last = points.at(-1) ?? none;
  const stepped = [...points, { ...last, atMs: Math.max(last.atMs, nowMs) }].flatMap(
    (point, at) => {
      const before = points[at - 1];
      return before === undefined ? [point] : [{ ...before, atMs: point.atMs }, point];
    },
  );
  return [
    {
      label: words("step.plan"),
      look: "plan",
      points: plan.map(({ atMs, devices }) => ({ atMs, value: devices })),
    },
    ...STEPS.map(([step, look]) => ({
      label: words(`step.${step}`),
      look,
      points: stepped.map((point) => ({ atMs: point.atMs, value: point[step] })),
    })),
  ];
}
