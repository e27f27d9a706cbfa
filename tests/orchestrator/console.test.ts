/** The admin console's API over real HTTP: updates published by `upbeat`, and a device that installs. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  CatalogueDetail,
  CatalogueEntry,
  FilePage,
  ProductLine,
} from "../../protocol/admin/catalogue.ts";
import {
  DeviceStanding,
  DeviceUpdate,
  FleetFacets,
  FleetPage,
  TimelinePage,
} from "../../protocol/admin/fleet.ts";
import { ComplianceDay, Overview } from "../../protocol/admin/overview.ts";
import { ListedRollout, Restrictions, RolloutDetail } from "../../protocol/admin/rollouts.ts";
import { TrustState } from "../../protocol/admin/trust.ts";
import { AudienceDevice } from "../../protocol/adminApi.ts";
import { reportError, UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, Product, Sha256, Version } from "../../protocol/ids.ts";
import { type Administrator, administrator } from "../support/administrator.ts";
import { type FleetDevice, fleetDevice } from "../support/fleetDevice.ts";
import { type ReportingDevice, reportingDevice } from "../support/reportingDevice.ts";
import { startServer } from "../support/serverProcess.ts";

let admin: Administrator;
let canary: FleetDevice;
let till: ReportingDevice;
beforeAll(async () => {
  admin = await administrator();
});
afterAll(async () => {
  await canary.close();
  await admin.close();
});

const ask = async <T>(schema: z.ZodType<T>, path: string): Promise<T> => {
  const headers = { authorization: `Bearer ${admin.token}` };
  const answer = await fetch(`${admin.server.url}/api/v1/${path}`, { headers });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return schema.parse(await answer.json());
};
const overview = () => ask(Overview, "overview");
const entries = async () =>
  (await ask(z.object({ updates: z.array(CatalogueEntry) }), "catalogue")).updates;
const fleet = (query: string) => ask(FleetPage, `fleet?${query}`);
const names = async (query: string) => (await fleet(query)).devices.map((it) => it.name);
/** What is published or signed is worked out for all devices in the background. */
const eventually = async <T>(
  look: () => Promise<T>,
  isRight: (found: T) => boolean,
): Promise<T> => {
  for (let tries = 0; tries < 200; tries++) {
    const found = await look();
    if (isRight(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await look();
};
const checkAndReport = async () => {
  await canary.check();
  await canary.orchestrator.tick();
};
const stable = Channel.parse("stable");
const kiosk = Product.parse("kiosk");

describe("the console of a new server", () => {
  it("has nothing to show, and says so", async () => {
    const found = await overview();
    expect(found).toMatchObject({ devices: 0, needingAttention: 0, failures: [], causes: [] });
    expect(found.attention).toEqual([]);
    expect(await entries()).toEqual([]);
    expect((await fleet("")).devices).toEqual([]);
    expect((await ask(Restrictions, "restrictions")).channels).toEqual([]);
  });
});

describe("the console", () => {
  it("shows what is published: by whom it is signed, what it holds, who needs it", async () => {
    await admin.publish("kiosk", "1.0", "--severity", "important");
    canary = await fleetDevice(admin, { name: "Canary-1", products: ["kiosk"], tags: ["canary"] });
    await canary.check();
    await canary.change({ kind: "install" });
    await checkAndReport();
    const [entry] = await entries();
    expect(entry).toMatchObject({
      version: "1.0",
      needing: 0,
      installed: 1,
      severity: "important",
    });
    const detail = await ask(CatalogueDetail, "catalogue/stable/kiosk/1.0");
    expect(detail.counts).toMatchObject({ offered: 1, installed: 1, failed: 0 });
    expect(detail.signedBy.map((it) => it.role)).toEqual([
      "root",
      "targets",
      "stable",
      "snapshot",
      "timestamp",
    ]);
    for (const { keys, threshold } of detail.signedBy)
      expect(keys.filter((key) => key.signed).length).toBeGreaterThanOrEqual(threshold);
    expect(JSON.parse(detail.manifestText)).toMatchObject({ product: "kiosk", version: "1.0" });
    const files = await ask(FilePage, "catalogue/stable/kiosk/1.0/files");
    expect(files).toMatchObject({ total: 1, entries: [{ path: "main.js" }] });
    await expect(ask(CatalogueDetail, "catalogue/beta/kiosk/1.0")).rejects.toThrow("404");
  });

  it("says which roles sign, with how many keys, until when", async () => {
    const { roles, rootSha256 } = await ask(TrustState, "trust");
    expect(Sha256.safeParse(rootSha256).success).toBe(true);
    expect(roles[0]).toMatchObject({ role: "root", threshold: 2, online: false });
    expect(roles.find((it) => it.role === "timestamp")).toMatchObject({ online: true });
    for (const role of roles) expect(role.expiresMs).toBeGreaterThan(Date.now());
  });

  it("knows who is behind as soon as something newer is published", async () => {
    expect((await overview()).counts).toMatchObject({ "up-to-date": 1, behind: 0 });
    const rings = ["--ring", "canary who=tag.canary", "--ring", "rest start=+2d"];
    await admin.upbeat("rollouts", "create", "kiosk@2.0", ...rings);
    await admin.publish("kiosk", "2.0");
    const { counts } = await eventually(overview, (it) => it.counts.behind === 1);
    expect(counts).toMatchObject({ "up-to-date": 0, behind: 1 });
    const [newest, older] = await entries();
    expect(newest).toMatchObject({ version: "2.0", needing: 1, installed: 0 });
    expect(older).toMatchObject({ version: "1.0", supersededBy: "2.0", installed: 1 });
    const lines = await ask(z.object({ products: z.array(ProductLine) }), "products");
    expect(lines.products).toMatchObject([
      { product: "kiosk", latest: "2.0", updates: 2, devices: 1, versions: [{ version: "1.0" }] },
    ]);
  });

  it("lists devices by all that they are known by", async () => {
    till = await reportingDevice(admin.server, admin.token, "till-7");
    expect(await names("state=unknown")).toEqual(["till-7"]);
    const followed = [{ product: kiosk, channel: stable }];
    await till.report({
      inventory: {
        facts: { "os.title": "Debian 13", "tag.lobby": true },
        products: [{ product: "kiosk", channel: "stable", current: "1.0" }],
        offering: { followed, layers: [], rolledBack: [], held: [] },
      },
    });
    for (const [query, found] of Object.entries({
      "": ["Canary-1", "till-7"],
      "order=desc": ["till-7", "Canary-1"],
      "q=TILL": ["till-7"],
      "q=tag:lobby": ["till-7"],
      "q=kiosk@1.0": ["Canary-1", "till-7"],
      "q=kiosk@2.0": [],
      "tag=canary": ["Canary-1"],
      "state=behind": ["Canary-1", "till-7"],
      "channel=stable&product=kiosk&version=1.0": ["Canary-1", "till-7"],
      "channel=beta": [],
      "ring=stable/kiosk-2.0/canary": ["Canary-1"],
      "ring=stable/kiosk-2.0/rest": ["till-7"],
      [`q=${till.deviceId}`]: ["till-7"],
      [`seenBeforeMs=${Date.now() - 86_400_000}`]: [],
      [`seenAfterMs=${Date.now() - 86_400_000}&sort=seen&order=desc`]: ["till-7", "Canary-1"],
    }))
      expect([query, await names(query)]).toEqual([query, found]);
    const first = await fleet("limit=1");
    expect(first).toMatchObject({ matching: { devices: 2, exact: true } });
    expect(await names(`limit=1&after=${first.next}`)).toEqual(["till-7"]);
    await expect(fleet("state=lost")).rejects.toThrow("400");
    const { tags, rings } = await ask(FleetFacets, "fleet/facets");
    expect(tags.map((it) => it.value).toSorted()).toEqual(["canary", "lobby"]);
    expect(rings).toHaveLength(2);
  });

  it("shows a rollout against its plan, ring by ring", async () => {
    await checkAndReport();
    const { rollouts } = await ask(z.object({ rollouts: z.array(ListedRollout) }), "rollouts");
    expect(rollouts).toMatchObject([{ channel: "stable", devices: 2, planned: 1 }]);
    expect((await overview()).rollouts).toHaveLength(1);
    await admin.upbeat("holds", "add", "kiosk@1.0", "--text", "The drawer jams");
    await admin.upbeat("holds", "add", "kiosk@2.0", "--text", "No receipts", "--who", "tag.lobby");
    const detail = await ask(RolloutDetail, "rollouts/stable/kiosk-2.0");
    expect(detail.rings).toMatchObject([
      { name: "canary", devices: 1, percent: 100 },
      { name: "rest", devices: 1, percent: 0 },
    ]);
    expect(detail.actual.at(-1)).toMatchObject({ offered: 1, installed: 0 });
    expect(detail.plan.at(-1)).toMatchObject({ devices: 2 });
    expect(detail.holds).toMatchObject([{ text: "No receipts" }]);
    const { channels } = await ask(Restrictions, "restrictions");
    expect(channels).toMatchObject([
      { channel: "stable", holds: [{ active: true }, { active: true }] },
    ]);
    await expect(ask(RolloutDetail, "rollouts/stable/other")).rejects.toThrow("404");
  });

  it("groups failures by their cause, and says what to do", async () => {
    const [newest] = await entries();
    const error = reportError(new UpbeatError("UPB-HEALTH-FAILED", { object: "kiosk" }));
    const atMs = Date.now();
    const update = { product: kiosk, version: Version.parse("2.0") };
    const manifestSha256 = newest?.manifestSha256 ?? Sha256.parse("0".repeat(64));
    const event = (state: "offered" | "failed", more: object) =>
      ({
        id: randomUUID(),
        atMs,
        kind: "update-state",
        ...update,
        manifestSha256,
        state,
        ...more,
      }) as const;
    await till.report({ events: [event("offered", {}), event("failed", { error })] });
    const found = await overview();
    expect(found.counts).toMatchObject({ behind: 1, failing: 1 });
    expect(found.attention).toContainEqual({ kind: "devices", state: "failing", devices: 1 });
    expect(found.failures).toMatchObject([{ code: error.code, devices: 1, title: error.text }]);
    expect(found.failures[0]?.remedy).toBe(error.remedy);
    expect(await names(`error=${error.code}`)).toEqual(["till-7"]);
    expect((await entries())[0]).toMatchObject({ failing: 1 });
    const { days } = await ask(z.object({ days: z.array(ComplianceDay) }), "compliance?days=7");
    expect(days.length).toBeGreaterThan(0);
  });

  it("tells of one device what it is, what decides about it, and what happened", async () => {
    const { deviceId } = canary.config;
    const standing = await ask(DeviceStanding, `devices/${deviceId}/standing`);
    expect(standing).toMatchObject({
      name: "Canary-1",
      state: "behind",
      tags: ["canary"],
      followed: [{ product: "kiosk", channel: "stable" }],
      rings: [{ channel: "stable", rollout: "kiosk-2.0", ring: "canary" }],
    });
    expect(standing.facts["os.id"]).toBeDefined();
    const download = standing.policy?.settings.find((it) => it.key === "download");
    expect(download).toMatchObject({ value: "ask", setBy: "admin" });
    const { updates } = await ask(
      z.object({ updates: z.array(DeviceUpdate) }),
      `devices/${deviceId}/updates`,
    );
    expect(updates.find((it) => it.version === "2.0")).toMatchObject({ outcome: "offered" });
    expect(updates.find((it) => it.version === "1.0")).toMatchObject({
      outcome: "not-offered",
      refusal: { reason: "installed" },
      state: "installed",
    });
    const first = await ask(TimelinePage, `devices/${deviceId}/timeline?limit=2`);
    const second = await ask(TimelinePage, `devices/${deviceId}/timeline?before=${first.next}`);
    const times = [...first.events, ...second.events].map(({ event }) => event.atMs);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(new Set([...first.events, ...second.events].map(({ event }) => event.id)).size).toBe(
      times.length,
    );
    const told = [...first.events, ...second.events].map(({ event }) => event);
    expect(told).toContainEqual(
      expect.objectContaining({
        kind: "decision",
        about: "offers",
        summary: expect.stringContaining("kiosk@2.0 offered"),
      }),
    );
    const when = await ask(AudienceDevice, `devices/${till.deviceId}/when/kiosk/2.0`);
    expect(when).toMatchObject({ outcome: "not-offered", reason: "safeguard-hold" });
    await expect(ask(DeviceStanding, `devices/dev-${"0".repeat(32)}/standing`)).rejects.toThrow(
      "404",
    );
  });

  it("shows the same after a kill and a restart of the server", async () => {
    const before = await overview();
    await admin.server.stop("SIGKILL");
    admin.server = await startServer(`${admin.folder}/data`);
    const { atMs: _, ...after } = await overview();
    expect(before).toMatchObject(after);
    expect(await names("")).toEqual(["Canary-1", "till-7"]);
  });
});
