/** What is being done now: one bar over all of it, the step's name, and how long all of it still takes. */
import { Card } from "@fluentui/react-components";
import type { Change } from "../../../protocol/orchestratorApi.ts";
import { bytes, duration } from "../../kit/format.ts";
import { useMessages } from "../../kit/language.ts";
import { Progress } from "../../kit/Progress.tsx";

export function WorkProgress({ change }: { change: Change }) {
  const { t, language } = useMessages();
  const { progress, whole } = change;
  const counts = progress !== undefined && progress.totalBytes > 0 && COUNTED.has(progress.phase);
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  const amount = [
    ...(whole === undefined ? [] : [percent.format(whole.fraction)]),
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
        fraction={whole?.fraction}
        step={working === undefined ? step : `${working.product} ${working.version}: ${step}`}
        amount={amount.length === 0 ? undefined : amount.join(" · ")}
        timeLeft={
          whole?.leftMs === undefined
            ? undefined
            : t("home.timeLeft", { time: duration(whole.leftMs, language) })
        }
      />
    </Card>
  );
}

/** Where the numbers are bytes that people know: the others only fill the bar. */
const COUNTED: ReadonlySet<string> = new Set(["download", "verify", "stage"]);
