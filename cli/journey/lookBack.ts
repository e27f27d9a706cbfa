/** The last chapters: what the machine remembers, and what the server heard of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { DeviceDetail, DeviceSummary } from "../../protocol/adminApi.ts";
import { duration } from "../screen/format.ts";
import type { Release, Releases } from "./releases.ts";
import { mustBe, type Stage } from "./stage.ts";
import { history } from "./travel.ts";

/** Reports go out in batches, seconds after what they tell. */
const REPORT_PATIENCE_MS = 60_000;

export async function showHistory(stage: Stage, releases: Releases, broken: Release) {
  stage.chapter("What the machine remembers");
  const entries = await history(stage);
  const told = entries.map((one) => `${one.toVersion} ${one.result}`).toReversed();
  const { first, second } = releases;
  const expected = [
    `${first.version} succeeded`,
    `${second.version} succeeded`,
    `${broken.version} rolled-back`,
  ];
  mustBe(`history is ${expected.join(", ")}`, told.join() === expected.join(), told);
  stage.say((await stage.upbeat(["history"])).text.trimEnd());
}

export async function showServerView(stage: Stage, releases: Releases, broken: Release) {
  stage.chapter("What the server knows");
  const deadlineMs = Date.now() + REPORT_PATIENCE_MS;
  const { devices } = await stage.ask(z.object({ devices: z.array(DeviceSummary) }), [
    "devices",
    "list",
  ]);
  const id = devices[0]?.deviceId ?? "";
  mustBe("one machine is enrolled", devices.length === 1, devices);
  const expected = [
    `${releases.first.version} installed`,
    `${releases.second.version} installed`,
    `${broken.version} rolled-back`,
  ];
  for (;;) {
    const found = await stage.ask(z.object({ device: DeviceDetail }), ["devices", "show", id]);
    const told = found.device.events.map((event) =>
      event.kind === "update-state" ? `${event.version} ${event.state}` : event.kind,
    );
    if (expected.every((event) => told.includes(event))) break;
    const claim = `the server hears of ${expected.join(", ")} within ${duration(REPORT_PATIENCE_MS)}`;
    mustBe(claim, Date.now() < deadlineMs, told);
    await sleep(300, undefined, { signal: stage.world.interrupted });
  }
  stage.say("The machine signed and sent what happened:");
  stage.say((await stage.upbeat(["devices", "list"])).text.trimEnd());
}
