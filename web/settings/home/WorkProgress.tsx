/** What is being done now: one bar over all of it, the step's name, and what the step still takes. */
import { Card } from "@fluentui/react-components";
import { useRef } from "react";
import type { Change } from "../../../protocol/orchestratorApi.ts";
import { bytes, duration } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { useNow } from "../../kit/now.ts";
import { Progress } from "../../kit/Progress.tsx";
import { fractionOf, stepLeftMs } from "./progress.ts";

export function WorkProgress({ change }: { change: Change }) {
  const { t, language } = useMessages();
  const now = useNow(1_000);
  const reached = useRef({ id: "", fraction: 0 });
  if (reached.current.id !== change.id) reached.current = { id: change.id, fraction: 0 };
  const { progress } = change;
  const fraction = fractionOf(change);
  // Between two updates of one change the service says nothing for a moment: the bar stays.
  reached.current.fraction = Math.max(reached.current.fraction, fraction ?? 0);
  const known = change.request.kind === "install" || change.request.kind === "download";
  const shown = known && reached.current.fraction > 0 ? reached.current.fraction : undefined;
  const counts = progress !== undefined && progress.totalBytes > 0 && COUNTED.has(progress.phase);
  const left = counts ? stepLeftMs(progress, now) : undefined;
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  const amount = [
    ...(shown === undefined ? [] : [percent.format(shown)]),
    ...(counts
      ? [
          t("home.amount", {
            done: bytes(progress.doneBytes, language),
            total: bytes(progress.totalBytes, language),
          }),
        ]
      : []),
  ];
  const working = change.updates.find((record) => record.jobId === progress?.jobId);
  const step = progress === undefined ? t("phase.begin") : t(`phase.${progress.phase}`);
  return (
    <Card data-testid="progress">
      <Progress
        fraction={shown}
        step={working === undefined ? step : `${working.product} ${working.version}: ${step}`}
        amount={amount.length === 0 ? undefined : amount.join(" · ")}
        timeLeft={
          left === undefined ? undefined : t("home.stepLeft", { time: duration(left, language) })
        }
      />
    </Card>
  );
}

/** Where the numbers are bytes that people know: the others only fill the bar. */
const COUNTED: ReadonlySet<string> = new Set(["download", "verify", "stage"]);
