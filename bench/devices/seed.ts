/**
 * A million devices in the server's database, as their reports would have left them: described by the
 * server's own code, written in bulk.
 */
import { DatabaseSync } from "node:sqlite";
import { Channel, Product, Version } from "../../protocol/ids.ts";
import { Rollout } from "../../protocol/offerPolicy.ts";
import { describe } from "../../server/fleet/describe.ts";
import { seededRandom } from "../../tests/support/random.ts";

export interface SeededFleet {
  readonly devices: number;
  readonly nowMs: number;
  readonly states: readonly string[];
  readonly versions: readonly string[];
  readonly tags: readonly string[];
  /** `CHANNEL/ROLLOUT/RING` */
  readonly rings: readonly string[];
  readonly errors: readonly string[];
  /** Some of them. */
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-06-01T12:00:00Z");
const VERSIONS = ["1.4.0", "1.3.9", "1.3.8", "1.2.0", "1.0.0", "0.9.1"].map((it) =>
  Version.parse(it),
);
const ERRORS = [
  "UPB-HEALTH-FAILED",
  "UPB-STORE-DISK-FULL",
  "UPB-FETCH-OFFLINE",
  "UPB-TRUST-EXPIRED",
];
const TAGS = ["lobby", "kitchen", "lab", "canary", "berlin", "hamburg", "bern", "wien"];
const KIOSK = Product.parse("kiosk");
const AGENT = Product.parse("agent");
const CHANNELS = { stable: Channel.parse("stable"), beta: Channel.parse("beta") };
const ROLLOUT = Rollout.parse({
  id: "kiosk-1.4.0",
  product: "kiosk",
  version: "1.4.0",
  createdAt: "2026-06-01T00:00:00Z",
  rings: [
    { name: "canary", who: { fact: "tag.canary", exists: true }, startsAt: "2026-06-01T00:00:00Z" },
    { name: "rest", startsAt: "2026-06-02T00:00:00Z" },
  ],
});
const SHOWN = {
  newest: (_channel: Channel, product: Product) => (product === KIOSK ? VERSIONS[0] : VERSIONS[1]),
  rollouts: (channel: Channel) => (channel === CHANNELS.stable ? [ROLLOUT] : []),
};

export function seedDevices(file: string, devices: number): SeededFleet {
  const sqlite = new DatabaseSync(file);
  // Nothing here has to survive a power cut.
  sqlite.exec(
    "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; DROP INDEX device_label_by_seen",
  );
  sqlite.exec("BEGIN");
  const device = sqlite.prepare(
    `INSERT INTO device (device_id, name, public_key, enrolled_ms, last_seen_ms, facts, products,
      offering, state, error_code, name_key, labels) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // The same devices in every run.
  const random = seededRandom(1).next;
  const ids: string[] = [];
  const names: string[] = [];
  for (let number = 0; number < devices; number++) {
    const one = someDevice(number, random);
    const { state, error, labels } = describe(one.reported, SHOWN, NOW);
    const { deviceId, lastSeenMs, facts, products, followed } = one.reported;
    const offering = JSON.stringify({ followed, layers: [], rolledBack: [], held: [] });
    device.run(
      deviceId,
      one.name,
      deviceId,
      NOW - 400 * DAY_MS,
      lastSeenMs ?? null,
      JSON.stringify(facts),
      JSON.stringify(products),
      offering,
      state,
      error ?? null,
      one.name.toLowerCase(),
      JSON.stringify(labels),
    );
    if (number % Math.ceil(devices / 10) === 7) {
      ids.push(deviceId);
      names.push(one.name);
    }
  }
  sqlite.exec(`
    INSERT INTO device_label (label, name_key, device_id, seen_ms)
    SELECT one.value, name_key, device_id, coalesce(last_seen_ms, 0)
    FROM device, json_each(device.labels) AS one WHERE one.value NOT LIKE 'has:%'
    ORDER BY one.value, name_key, device_id`);
  sqlite.exec(`
    INSERT INTO label_count (label, devices)
    SELECT one.value, count(*) FROM device, json_each(device.labels) AS one GROUP BY one.value`);
  sqlite.exec("COMMIT");
  sqlite.exec(`CREATE INDEX device_label_by_seen
    ON device_label (label, seen_ms, device_id, name_key)`);
  sqlite.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  sqlite.close();
  return {
    devices,
    nowMs: NOW,
    states: ["up-to-date", "behind", "failing", "silent", "unknown"],
    versions: VERSIONS,
    tags: TAGS,
    rings: ["stable/kiosk-1.4.0/canary", "stable/kiosk-1.4.0/rest"],
    errors: ERRORS,
    ids,
    names,
  };
}

/** Names as people give them: by place and kind, a number at the end; many begin the same. */
function someDevice(number: number, random: () => number) {
  const city = pick(["berlin", "hamburg", "bern", "wien", "koeln", "ulm"], random());
  const kind = pick(["till", "kiosk", "screen", "desk"], random());
  const hex = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  const deviceId = `dev-${hex()}${hex()}${hex()}${hex()}`;
  const age = random();
  const lastSeenMs =
    age < 0.01
      ? undefined
      : Math.floor(NOW - (age < 0.05 ? 7 + random() * 60 : random() * 1.2) * DAY_MS);
  const channel = random() < 0.9 ? CHANNELS.stable : CHANNELS.beta;
  const current = VERSIONS[Math.floor(random() ** 3 * VERSIONS.length)];
  const products = [
    { product: KIOSK, channel, ...(current === undefined ? {} : { current }) },
    { product: AGENT, channel, ...(VERSIONS[1] === undefined ? {} : { current: VERSIONS[1] }) },
  ];
  const tags = TAGS.filter((_, at) => random() < 0.5 / (at + 1));
  const fails = random() < 0.03;
  return {
    name: `${city}-${kind}-${String(number).padStart(7, "0")}`,
    reported: {
      deviceId,
      lastSeenMs,
      facts: {
        "os.id": "debian",
        "os.version": "12",
        "os.title": "Debian GNU/Linux 12 (bookworm)",
        "memory.totalBytes": 8_000_000_000,
        ...Object.fromEntries(tags.map((tag) => [`tag.${tag}`, true])),
      },
      products,
      followed: products.map(({ product }) => ({ product, channel })),
      failures: [],
      checkError: fails ? pick(ERRORS, random()) : undefined,
      causes: [],
    },
  };
}

const pick = <One>(list: readonly One[], share: number): One =>
  list[Math.floor(share * list.length)] as One;
