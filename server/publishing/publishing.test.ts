import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, Sha256 } from "../../protocol/ids.ts";
import { refresh } from "../../protocol/trust/client.ts";
import { newSigningKey, signMetadata } from "../../protocol/trust/sign.ts";
import { addUpdates, rotateChannels, rotateRoot } from "../../protocol/trust/writer.ts";
import { memoryStore } from "../../tests/support/memoryStore.ts";
import { type TestPublisher, testPublisher } from "../../tests/support/testPublisher.ts";
import { contentPath } from "../contentUpload.ts";
import { repositoryFiles } from "../repositoryFiles.ts";
import { openSigner } from "../signer/signer.ts";
import type { SignerProcess } from "../signerProcess.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { listUpdates } from "../storage/updates.ts";
import { openPublishing, type Publishing } from "./publishing.ts";
import { relistUpdates } from "./relist.ts";

const STABLE = Channel.parse("stable");
const HOUR_MS = 3_600_000;
const log = pino({ level: "silent" });
let folder: string;
let data: string;
let db: Database;
let publishing: Publishing;
let publisher: TestPublisher;
let isSignerAway: boolean;
let onStep: (name: string) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "upbeat-publishing-"));
  data = join(folder, "data");
  mkdirSync(data);
  isSignerAway = false;
  onStep = () => {};
  db = await openDatabase(join(data, "server.db"));
  const { keys } = openSigner(join(data, "signer"), Date.now);
  publisher = testPublisher(keys, Date.parse("2026-06-01T12:00:00Z"));
  publishing = open(data, db);
});
afterEach(async () => {
  await db.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** A real signer without its process, so that the clock can be turned. */
function signerIn(at: string): Pick<SignerProcess, "keys" | "sign" | "signed" | "renew"> {
  const signer = openSigner(join(at, "signer"), () => publisher.nowMs);
  const answer = async <T>(work: () => T): Promise<T> => {
    if (isSignerAway) throw new UpbeatError("UPB-SERVER-SIGNER-AWAY", { object: "signer" });
    return work();
  };
  return {
    keys: () => answer(() => signer.keys),
    signed: () => answer(signer.signed),
    sign: (meta) => answer(() => signer.signSnapshot(meta)),
    renew: () => answer(signer.renew),
  };
}

const open = (at: string, database: Database): Publishing =>
  openPublishing({
    files: repositoryFiles(at, (name) => onStep(name)),
    db: database,
    signer: signerIn(at),
    now: () => publisher.nowMs,
    log,
  });

const publish = async (update: RepositoryUpdate) => {
  const state = await publishing.publish(update);
  publisher.taken(update);
  return state;
};
const addVersion = (version: string) => publisher.add(publisher.manifest({ version }));

const putContent = (text: string, at = data) => {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const path = join(at, "repo", contentPath(sha256));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return { type: "file" as const, path: "app", sizeBytes: text.length, mode: 0o644, sha256 };
};

/** A new device, over the files as a static server would show them. */
const device = (at = data) => {
  const read = (name: string) => {
    try {
      return readFileSync(join(at, "repo/metadata", name));
    } catch {
      return undefined;
    }
  };
  return refresh({
    trustedRoot: read("1.root.json") ?? new Uint8Array(),
    store: memoryStore(),
    source: { fetch: async (name) => read(name) },
    now: () => publisher.nowMs,
  });
};
const has = async (version: string, at = data) =>
  (await (await device(at)).findTarget(`stable/kiosk/${version}.json`)) !== undefined;

const shown = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(data, "repo"), { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(data, "repo", name)).isFile())
      .map((name) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(data, "repo", name)))
          .digest("hex"),
      ]),
  );

async function expectRefusal(update: RepositoryUpdate, code: ErrorCode): Promise<void> {
  const before = shown();
  await expect(publishing.publish(update)).rejects.toMatchObject({ code });
  expect(shown()).toEqual(before);
}

describe("publishing", () => {
  it("shows what a new device verifies, and lists it", async () => {
    const payload = [putContent("hello")];
    await publish(publisher.first());
    const state = await publish(publisher.add(publisher.manifest({ payload })));
    expect(state.versions).toMatchObject({ root: 1, targets: 1, stable: 2, beta: 1, timestamp: 2 });
    expect(state.expires).toMatchObject({ timestamp: "2026-06-02T12:00:00.000Z" });
    expect(await has("1.0.0")).toBe(true);
    expect(await listUpdates(db)).toMatchObject([
      { product: "kiosk", version: "1.0.0", files: 1, sizeBytes: 5, retired: false },
    ]);
  });

  it("of nothing new changes nothing", async () => {
    await publish(publisher.first());
    const before = shown();
    await publish({ roles: {}, targets: [] });
    expect(shown()).toEqual(before);
  });

  it("follows a channel into its hash bins, renewal and rotation included", async () => {
    await publish(publisher.first());
    const manifests = Array.from({ length: 1_001 }, (_, at) =>
      publisher.manifest({ version: `1.0.${at}` }),
    );
    const { current, nowMs, keys } = publisher;
    const channelKeys = keys.stable;
    const many = { current, channelKeys, nowMs, channel: STABLE, indexes: [], manifests };
    const { updateIds: _, ...update } = addUpdates(many);
    await publish(update);
    await publish(publisher.add(publisher.manifest({ version: "2.0.0" })));
    expect(await has("1.0.77")).toBe(true);
    expect(await has("2.0.0")).toBe(true);
    const fresh = newSigningKey().key;
    const rule = (key: { publicHex: string } | undefined) => ({
      keys: [key?.publicHex ?? ""],
      threshold: 1,
    });
    const rotation = rotateChannels({
      current,
      channels: { stable: rule(fresh), beta: rule(keys.beta[0]) },
      targetsKeys: keys.targets,
      resign: new Map([["stable", [fresh]]]),
      nowMs,
    });
    const { "stable-07": _bin, ...without } = rotation.roles;
    await expectRefusal({ ...rotation, roles: without }, "UPB-TRUST-SIGNATURES");
    await publish(rotation);
    expect(await has("1.0.77")).toBe(true);
    expect(await listUpdates(db)).toHaveLength(1_002);
  });

  it("of a retired update takes it out of the metadata and marks it in the list", async () => {
    await publish(publisher.first());
    await publish(addVersion("1.0.0"));
    await publish(publisher.retire(STABLE, "kiosk", "1.0.0"));
    expect(await has("1.0.0")).toBe(false);
    expect(await listUpdates(db)).toMatchObject([{ version: "1.0.0", retired: true }]);
  });

  it("lists again what a lost database has forgotten", async () => {
    await publish(publisher.first());
    await publish(addVersion("1.0.0"));
    await db.deleteFrom("published_update").execute();
    const files = repositoryFiles(data);
    const current = publishing.current();
    if (current === undefined) throw new Error("nothing is published");
    expect(await relistUpdates(db, files, current)).toBe(1);
    expect(await relistUpdates(db, files, current)).toBe(0);
    expect(await listUpdates(db)).toMatchObject([{ version: "1.0.0", retired: false }]);
  });
});

describe("the publish gate refuses, and shows nothing of", () => {
  beforeEach(async () => {
    await publish(publisher.first());
  });

  const resigned = (role: string, change: (signed: Record<string, unknown>) => void, by = role) => {
    const update = addVersion("1.0.0");
    const signed = JSON.parse(Buffer.from(update.roles[role] ?? "", "base64").toString()).signed;
    change(signed);
    const keys = publisher.keys[by as "stable"];
    const bytes = Buffer.from(signMetadata(signed, keys)).toString("base64");
    return { ...update, roles: { ...update.roles, [role]: bytes } };
  };

  it("anything before the first root", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const other = open(empty, db);
    await expect(other.publish(addVersion("1.0.0"))).rejects.toMatchObject({
      code: "UPB-SERVER-NO-REPOSITORY",
    });
  });

  it("a second first repository", async () => {
    await expectRefusal(publisher.first(), "UPB-PUBLISH-STALE");
  });

  it("a first root that trusts other online keys than this server's", async () => {
    const empty = join(folder, "empty");
    mkdirSync(empty);
    const other = testPublisher(
      { snapshot: newSigningKey().key.publicHex, timestamp: newSigningKey().key.publicHex },
      publisher.nowMs,
    );
    await expect(open(empty, db).publish(other.first())).rejects.toMatchObject({
      code: "UPB-PUBLISH-INCONSISTENT",
    });
  });

  it("a role signed by the wrong key", async () => {
    await expectRefusal(
      resigned("stable", () => {}, "beta"),
      "UPB-TRUST-SIGNATURES",
    );
  });

  it.each([
    ["skipped", 3],
    ["repeated", 1],
  ])("a version that is %s", async (_what, version) => {
    const update = resigned("stable", (signed) => {
      signed["version"] = version;
    });
    await expectRefusal(update, "UPB-PUBLISH-STALE");
  });

  it("a role that has expired", async () => {
    const update = resigned("stable", (signed) => {
      signed["expires"] = "2026-06-01T11:59:59Z";
    });
    await expectRefusal(update, "UPB-TRUST-EXPIRED");
  });

  it("a role that nothing delegates to", async () => {
    const update = addVersion("1.0.0");
    const roles = { ...update.roles, other: update.roles["stable"] ?? "" };
    await expectRefusal({ ...update, roles }, "UPB-TRUST-ROLE");
  });

  it("a target outside of the role's channel", async () => {
    const update = resigned("stable", (signed) => {
      const targets = signed["targets"] as Record<string, unknown>;
      targets["beta/kiosk/1.0.0.json"] = targets["stable/kiosk/1.0.0.json"];
    });
    await expectRefusal(update, "UPB-PUBLISH-INCONSISTENT");
  });

  it("a manifest that did not come", async () => {
    const update = addVersion("1.0.0");
    await expectRefusal({ ...update, targets: update.targets.slice(1) }, "UPB-PUBLISH-INCOMPLETE");
  });

  it("a manifest with another byte", async () => {
    const update = addVersion("1.0.0");
    const targets = update.targets.map(({ path, bytes }) => {
      const changed = Buffer.from(bytes, "base64");
      changed[10] = (changed[10] ?? 0) ^ 1;
      return { path, bytes: changed.toString("base64") };
    });
    await expectRefusal({ ...update, targets }, "UPB-TRUST-HASH");
  });

  it("bytes that no role names", async () => {
    const update = addVersion("1.0.0");
    const more = { path: "stable/kiosk/9.json", bytes: "" };
    await expectRefusal(
      { ...update, targets: [...update.targets, more] },
      "UPB-PUBLISH-INCONSISTENT",
    );
  });

  it("content that was not uploaded, or not whole", async () => {
    const missing = { ...putContent("there"), sha256: Sha256.parse("0".repeat(64)) };
    await expectRefusal(
      publisher.add(publisher.manifest({ payload: [missing] })),
      "UPB-PUBLISH-INCOMPLETE",
    );
    const longer = { ...putContent("there"), sizeBytes: 6 };
    await expectRefusal(
      publisher.add(publisher.manifest({ payload: [longer] })),
      "UPB-PUBLISH-INCOMPLETE",
    );
  });

  it("a tree that no device would install", async () => {
    const payload = [{ type: "link" as const, path: "out", target: "../../etc" }];
    await expectRefusal(publisher.add(publisher.manifest({ payload })), "UPB-TREE-LINK");
  });

  it("another manifest under a version that is published", async () => {
    await publish(addVersion("1.0.0"));
    const { current, nowMs, keys } = publisher;
    const manifests = [publisher.manifest({ title: "Other" })];
    const { updateIds: _, ...update } = addUpdates({
      current,
      channelKeys: keys.stable,
      nowMs,
      channel: STABLE,
      indexes: [],
      manifests,
    });
    await expectRefusal(update, "UPB-PUBLISH-EXISTS");
  });

  it("an index that forgets what is published", async () => {
    await publish(addVersion("1.0.0"));
    const { current, nowMs, keys } = publisher;
    const manifests = [publisher.manifest({ version: "1.1.0" })];
    const channelKeys = keys.stable;
    const input = { current, channelKeys, nowMs, channel: STABLE, indexes: [], manifests };
    const { updateIds: _, ...update } = addUpdates(input);
    await expectRefusal(update, "UPB-PUBLISH-INCONSISTENT");
  });

  it("a root without the old keys, and takes one with a threshold of both", async () => {
    const keysOf = (keys: readonly { publicHex: string }[], threshold: number) => ({
      keys: keys.map((key) => key.publicHex),
      threshold,
    });
    const fresh = [1, 2, 3].map(() => newSigningKey().key);
    const { root, targets } = publisher.keys;
    const online = openSigner(join(data, "signer"), Date.now).keys;
    const roles = {
      root: keysOf(fresh, 2),
      targets: keysOf(targets, 1),
      snapshot: { keys: [online.snapshot], threshold: 1 },
      timestamp: { keys: [online.timestamp], threshold: 1 },
    };
    const { current, nowMs } = publisher;
    const next = (signWith: typeof fresh) => rotateRoot({ current, roles, signWith, nowMs });
    await expectRefusal(next([...fresh, ...root.slice(2)]), "UPB-TRUST-SIGNATURES");
    await expectRefusal(next([...root, ...fresh.slice(2)]), "UPB-TRUST-SIGNATURES");
    expect((await publish(next([...root, ...fresh]))).versions["root"]).toBe(2);
    expect((await device()).versions.root).toBe(2);
  });

  it("everything while the signer is away, and takes it afterwards", async () => {
    isSignerAway = true;
    const update = addVersion("1.0.0");
    await expectRefusal(update, "UPB-SERVER-SIGNER-AWAY");
    isSignerAway = false;
    await publish(update);
    expect(await has("1.0.0")).toBe(true);
  });
});

describe("a crash while publishing", () => {
  it("leaves the old set or the new one after every step, and publishing goes on", async () => {
    await publish(publisher.first());
    await publish(addVersion("1.0.0"));
    const crashes: { step: string; at: string }[] = [];
    onStep = (step) => {
      const at = join(folder, `crash-${crashes.length}`);
      cpSync(data, at, { recursive: true });
      crashes.push({ step, at });
    };
    const update = addVersion("1.1.0");
    await publishing.publish(update);
    onStep = () => {};
    expect(crashes.length).toBeGreaterThan(8);

    const outcomes: boolean[] = [];
    for (const { at } of crashes) {
      // What devices see while the server is down.
      const isShown = await has("1.1.0", at);
      expect(await has("1.0.0", at)).toBe(true);
      const again = await openDatabase(join(at, "server.db"));
      const restarted = open(at, again);
      await restarted.renewIfDue();
      const isThere = await has("1.1.0", at);
      outcomes.push(isThere);
      if (isShown) expect(isThere).toBe(true);
      if (isThere)
        await expect(restarted.publish(update)).rejects.toMatchObject({
          code: "UPB-PUBLISH-STALE",
        });
      else await restarted.publish(update);
      expect(await has("1.1.0", at)).toBe(true);
      await again.destroy();
    }
    expect(new Set(outcomes)).toEqual(new Set([false, true]));
  });

  it("after the signer has signed and before it was heard is made good", async () => {
    await publish(publisher.first());
    const deaf = signerIn(data);
    const half = openPublishing({
      files: repositoryFiles(data),
      db,
      signer: {
        ...deaf,
        sign: async (meta) => {
          await deaf.sign(meta);
          throw new UpbeatError("UPB-SERVER-SIGNER-AWAY", { object: "signer" });
        },
      },
      now: () => publisher.nowMs,
      log,
    });
    const update = addVersion("1.0.0");
    await expect(half.publish(update)).rejects.toMatchObject({ code: "UPB-SERVER-SIGNER-AWAY" });
    expect(await has("1.0.0")).toBe(false);
    await open(data, db).renewIfDue();
    expect(await has("1.0.0")).toBe(true);
  });
});

describe("renewal", () => {
  it("signs the timestamp again when it is an hour old, for as long as the server runs", async () => {
    await publish(publisher.first());
    expect(await publishing.renewIfDue()).toBe(false);
    for (let hours = 0; hours < 100; hours++) {
      publisher.nowMs += HOUR_MS + 1_000;
      expect(await publishing.renewIfDue()).toBe(true);
    }
    const { versions, expires } = await device();
    expect(versions).toMatchObject({ timestamp: 101, snapshot: 2 });
    expect(expires.timestamp - publisher.nowMs).toBeGreaterThan(23 * HOUR_MS);
  });

  it("leaves everything as it is while the signer is away", async () => {
    await publish(publisher.first());
    publisher.nowMs += 2 * HOUR_MS;
    isSignerAway = true;
    const before = shown();
    await expect(publishing.renewIfDue()).rejects.toMatchObject({ code: "UPB-SERVER-SIGNER-AWAY" });
    expect(shown()).toEqual(before);
  });
});
