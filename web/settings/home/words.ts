/**
 * What the header says in each state: how it looks, a few words, one plain sentence. Apart from the
 * buttons and from React, so that it can stand there before the rest of the page is loaded.
 */
import type { TFunction } from "i18next";
import type { DeviceStatus } from "../../../protocol/orchestratorApi.ts";
import { bytes, moment, relative } from "../../kit/format.ts";
import { stageOf } from "./progress.ts";
import { comingUpdates, type HeaderState } from "./state.ts";

export interface HeaderWords {
  readonly tone: "good" | "busy" | "warn" | "bad" | "calm";
  readonly title: string;
  readonly sentence: string;
}

export interface Speaker {
  readonly t: TFunction;
  readonly language: string;
  readonly nowMs: number;
}

export function headerWords(state: HeaderState, speaker: Speaker): HeaderWords {
  const { t, language, nowMs } = speaker;
  const say = (tone: HeaderWords["tone"], title: string, sentence: string): HeaderWords => ({
    tone,
    title,
    sentence,
  });
  switch (state.kind) {
    case "connecting":
      return say("busy", t("state.connecting"), t("loading"));
    case "closed":
      return say("bad", t("state.closed"), t("state.closedWhy"));
    case "manager-stopped":
    case "orchestrator-stopped":
    case "update-service-stopped":
      return say("bad", t("state.stopped"), t(`state.${state.kind}`));
    case "not-enrolled":
      return say("calm", t("state.notEnrolled"), t("state.notEnrolledWhy"));
    case "checking":
      return say(
        "busy",
        t("state.checking"),
        t("state.checkingWhy", { server: state.status.serverUrl }),
      );
    case "working":
      return say("busy", t(`state.${stageOf(state.change)}`), t("state.workingWhy"));
    case "restarting-soon":
      return say(
        "warn",
        t("state.restartingSoon", { when: relative(state.atMs, nowMs, language) }),
        t("state.restartingSoonWhy"),
      );
    case "restart-required":
      return say("warn", t("state.restart"), t("state.restartWhy"));
    case "paused":
      return say(
        "calm",
        t("state.paused"),
        t("state.pausedWhy", { when: moment(state.untilMs, nowMs, language) }),
      );
    case "waiting":
      return say("calm", t("state.waiting"), state.sentence);
    case "failed":
      return say("bad", t("state.failed"), t("state.failedWhy"));
    case "rolled-back": {
      const update = `${state.record.product} ${state.record.version}`;
      return say("warn", t("state.rolledBack"), t("state.rolledBackWhy", { update }));
    }
    case "offline": {
      const sentence = `${t("state.offlineWhy")} ${lastChecked(state.status, speaker)}`;
      return say("warn", t("state.offline"), sentence);
    }
    case "check-failed":
      return say("bad", t("state.checkFailed"), lastChecked(state.status, speaker));
    case "available":
    case "ready": {
      const coming = comingUpdates(state.status);
      const sentence = t("state.availableWhy", {
        count: coming.length,
        size: bytes(
          coming.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0),
          language,
        ),
        checked: lastChecked(state.status, speaker),
      });
      return say("busy", t(`state.${state.kind}`), sentence);
    }
    case "never-checked":
      return say("calm", t("state.neverChecked"), lastChecked(state.status, speaker));
    case "up-to-date":
      return say("good", t("state.upToDate"), lastChecked(state.status, speaker));
  }
}

function lastChecked(status: DeviceStatus, { t, language, nowMs }: Speaker): string {
  const { lastCheckMs, nextCheckMs } = status;
  if (lastCheckMs === undefined) return t("home.neverChecked");
  const last = t("home.lastChecked", { when: moment(lastCheckMs, nowMs, language) });
  if (nextCheckMs === undefined) return last;
  return `${last} ${t("home.nextCheck", { when: moment(nextCheckMs, nowMs, language) })}`;
}
