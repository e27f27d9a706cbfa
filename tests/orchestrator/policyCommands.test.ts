/** What an administrator writes with `upbeat`: signed, taken by the real server, shown again. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { OfferPolicy } from "../../protocol/offerPolicy.ts";
import { type Administrator, administrator } from "../support/administrator.ts";

let admin: Administrator;
beforeAll(async () => {
  admin = await administrator();
});
afterAll(() => admin.close());

const Shown = z.object({ policy: OfferPolicy });
const policy = async () => Shown.parse(await admin.upbeat("policy", "list"));

describe("an administrator", () => {
  it("starts with a channel that offers everything to everybody", async () => {
    expect(await policy()).toMatchObject({ policy: { rolloutRequired: false, rollouts: [] } });
  });

  it("creates a rollout in rings, before or after the update is published", async () => {
    const ring = [
      "--ring",
      "canary who=tag.canary",
      "--ring",
      "all start=+2d curve=10,50@24h,100@3d",
    ];
    await admin.upbeat("rollouts", "create", "kiosk@1.4.0", ...ring);
    await admin.publish("kiosk", "1.4.0");
    expect((await policy()).policy.rollouts).toMatchObject([
      {
        id: "kiosk-1.4.0",
        state: "running",
        rings: [
          { name: "canary", who: { fact: "tag.canary", exists: true } },
          {
            curve: [
              { percent: 10, afterHours: 0 },
              { percent: 50, afterHours: 24 },
              { percent: 100, afterHours: 72 },
            ],
          },
        ],
      },
    ]);
    const [rollout] = (await policy()).policy.rollouts;
    const later = Date.parse(rollout?.rings[1]?.startsAt ?? "");
    expect(later - Date.parse(rollout?.createdAt ?? "")).toBe(2 * 86_400_000);
  });

  it("pauses, halts and resumes it, once each", async () => {
    const state = async () => (await policy()).policy.rollouts[0];
    await admin.upbeat("rollouts", "pause", "kiosk-1.4.0", "--text", "a look first");
    expect(await state()).toMatchObject({ state: "paused", text: "a look first" });
    expect((await admin.attempt("rollouts", "pause", "kiosk-1.4.0")).exitCode).toBe(2);
    await admin.upbeat("rollouts", "halt", "kiosk-1.4.0");
    expect(await state()).toMatchObject({ state: "halted" });
    expect((await admin.attempt("rollouts", "pause", "kiosk-1.4.0")).answer).toMatchObject({
      error: { code: "UPB-POLICY-EDIT" },
    });
    expect((await admin.attempt("rollouts", "remove", "kiosk-1.4.0")).answer).toMatchObject({
      error: { code: "UPB-POLICY-WIDENS" },
    });
    await admin.upbeat("rollouts", "resume", "kiosk-1.4.0");
    expect(await state()).toMatchObject({ state: "running" });
    await admin.upbeat("rollouts", "expedite", "kiosk-1.4.0", "--deadline-days", "0");
    expect(await state()).toMatchObject({ expedite: { deadlineDays: 0 } });
    expect((await admin.attempt("rollouts", "halt", "nothing")).answer).toMatchObject({
      error: { code: "UPB-CLI-NOT-FOUND" },
    });
  });

  it("holds, approves, pins, sets floors and settings, and takes all of it back", async () => {
    await admin.upbeat(
      ...["holds", "add", "kiosk>=1.4<1.5", "--text", "The screen stays dark"],
      ...["--who", "gpu.driver<535&!tag.lab", "--until", "+14d"],
    );
    await admin.upbeat("approvals", "add", "class=driver", "--decline");
    await admin.upbeat("pins", "set", "kiosk@1.4.0", "--who", "os.id=debian,ubuntu");
    await admin.upbeat("floors", "add", "kiosk@1.0.0", "--text", "converts the database");
    await admin.upbeat("policy", "set", "qualityDeferralDays=3", "pause=null", "install=ask");
    await admin.upbeat("policy", "require", "approvals");
    const written = (await policy()).policy;
    expect(written).toMatchObject({
      approvalRequired: true,
      holds: [
        {
          updates: { product: "kiosk", from: "1.4", below: "1.5" },
          who: {
            all: [
              { fact: "gpu.driver", versionBelow: "535" },
              { fact: "tag.lab", exists: false },
            ],
          },
        },
      ],
      approvals: [{ action: "decline", updates: { classifications: ["driver"] } }],
      pins: [{ version: "1.4.0", who: { fact: "os.id", oneOf: ["debian", "ubuntu"] } }],
      floors: [{ version: "1.0.0" }],
      settings: [{ id: "all", values: { qualityDeferralDays: 3, install: "ask" } }],
    });
    const idIn = (list: "holds" | "approvals") => written[list][0]?.id ?? "";
    await admin.upbeat("holds", "lift", idIn("holds"));
    await admin.upbeat("approvals", "remove", idIn("approvals"));
    await admin.upbeat("pins", "remove", "kiosk");
    await admin.upbeat("floors", "remove", "kiosk@1.0.0");
    await admin.upbeat("policy", "unset", "install");
    await admin.upbeat("policy", "require", "approvals", "--off");
    expect((await policy()).policy).toMatchObject({
      approvalRequired: false,
      holds: [],
      approvals: [],
      pins: [],
      floors: [],
      settings: [{ values: { qualityDeferralDays: 3 } }],
    });
  });

  it("is told at a publish what the update still needs before anybody is offered it", async () => {
    expect(await admin.publish("kiosk", "2.0")).toMatchObject({ needs: [] });
    await admin.upbeat("policy", "require", "rollouts");
    await admin.upbeat("policy", "require", "approvals");
    expect(await admin.publish("kiosk", "2.1")).toMatchObject({ needs: ["rollout", "approval"] });
    await admin.upbeat("rollouts", "create", "kiosk@2.2");
    await admin.upbeat("approvals", "add", "kiosk>=2.2");
    expect(await admin.publish("kiosk", "2.2")).toMatchObject({ needs: [] });
  });

  it("of two who write at once has to look again, and nothing is lost", async () => {
    const before = (await policy()).policy.revision;
    const tries = await Promise.all(
      ["a@1", "b@1", "c@1"].map((update) => admin.attempt("rollouts", "create", update)),
    );
    const done = tries.filter(({ exitCode }) => exitCode === 0);
    for (const { exitCode, answer } of tries)
      if (exitCode !== 0) expect(answer).toMatchObject({ error: { code: "UPB-PUBLISH-STALE" } });
    expect(done.length).toBeGreaterThan(0);
    const after = (await policy()).policy;
    expect(after.revision).toBe(before + done.length);
    expect(after.rollouts.filter(({ version }) => version === "1")).toHaveLength(done.length);
  });

  it.each([
    [["policy", "set", "qualityDeferralDays=31"]],
    [["policy", "set", "noSuchSetting=1"]],
    [["rollouts", "create", "kiosk@1.5.0", "--ring", "canary whom=tag.canary"]],
    [["rollouts", "create", "kiosk@1.5.0", "--ring", "all curve=50,10@24h"]],
    [["holds", "add", "kiosk", "--text", "x", "--until", "tomorrow"]],
    [["holds", "add", "kiosk", "--text", "x", "--who", "{}"]],
  ])("is told what is wrong with %j, and nothing is signed", async (args) => {
    const before = (await policy()).policy.revision;
    const { exitCode, answer } = await admin.attempt(...args);
    expect([exitCode, answer]).toMatchObject([64, { error: { code: "UPB-CLI-USAGE" } }]);
    expect((await policy()).policy.revision).toBe(before);
  });

  it("without the channel's key can change nothing", async () => {
    const keys = ["--keys", `${admin.folder}/none`];
    const { answer } = await admin.attempt("rollouts", "halt", "kiosk-1.4.0", ...keys);
    expect(answer).toMatchObject({ error: { code: "UPB-KEYS-NONE" } });
  });
});
