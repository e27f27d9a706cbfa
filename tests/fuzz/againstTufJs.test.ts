/**
 * Differential fuzzing: one field of the metadata is changed and signed with the right keys, then
 * this client and tuf-js are asked. Where they differ, one of them is wrong or stricter; the classes
 * that were looked into are listed with the reason in `allowed-disagreements.json`, a new one fails.
 *
 *   UPBEAT_FUZZ_CASES=5000 UPBEAT_FUZZ_SEED=7 npx vitest run tests/fuzz
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { canonicalJson } from "../../protocol/canonicalJson.ts";
import { seededRandom, seedFrom } from "../support/random.ts";
import { encode, type Json, type TestKey, trustSimulator } from "../support/trustSimulator.ts";
import { type Mutation, mutate } from "./mutate.ts";
import { type Answers, ownReader, tufJsReader } from "./readers.ts";

/** 150 take a few seconds; the list was made with 12,000. */
const CASES = Number(process.env["UPBEAT_FUZZ_CASES"] ?? 150);

const Allowed = z.array(
  z.strictObject({
    /** Regular expressions over the whole of `role`, the field, and what was done. */
    role: z.string().default(".*"),
    field: z.string(),
    what: z.string().default(".*"),
    ours: z.enum(["accepts", "refuses", "finds something else"]),
    reason: z.string().min(20),
  }),
);
const allowed = Allowed.parse(
  JSON.parse(readFileSync(new URL("allowed-disagreements.json", import.meta.url), "utf8")),
);

const ROLES = ["root", "timestamp", "snapshot", "targets", "stable"];
const PATHS = ["stable/kiosk/index", "stable/kiosk/1.0.json", "beta/kiosk/index", "readme"];

interface Disagreement extends Mutation {
  readonly role: string;
  readonly ours: z.infer<typeof Allowed>[number]["ours"];
  readonly case: string;
}

it("agrees with tuf-js about every mutated repository, but for the listed classes", async () => {
  const seed = seedFrom("UPBEAT_FUZZ_SEED");
  const random = seededRandom(seed);
  const counts = { bothAccept: 0, bothRefuse: 0, listed: 0 };
  const fresh: Disagreement[] = [];
  for (let count = 0; count < CASES; count++) {
    const role = ROLES[random.below(ROLES.length)] ?? "root";
    const { mutation, ours, theirs } = await playCase(role, (document) => mutate(document, random));
    if (ours.refresh === theirs.refresh && `${ours.targets}` === `${theirs.targets}`) {
      if (ours.targets.includes("refuse")) counts.bothRefuse++;
      else counts.bothAccept++;
      continue;
    }
    const found = {
      ...mutation,
      role,
      ours: stance(ours, theirs),
      case: `ours: ${ours.refresh},${ours.targets}${ours.why} / tuf-js: ${theirs.refresh},${theirs.targets}${theirs.why}`,
    };
    if (allowed.some((entry) => matches(entry, found))) counts.listed++;
    else fresh.push(found);
  }
  console.log(
    `fuzz against tuf-js: ${CASES} cases, seed ${seed}: ${counts.bothAccept} accepted by both, ` +
      `${counts.bothRefuse} refused by both, ${counts.listed} disagreements of listed classes`,
  );
  for (const found of fresh) console.log(`disagreement: ${JSON.stringify(found)}`);
  expect(fresh).toHaveLength(0);
  // A fuzzer that never reaches either side proves nothing.
  if (CASES >= 100) {
    expect(counts.bothAccept).toBeGreaterThan(0);
    expect(counts.bothRefuse).toBeGreaterThan(0);
  }
}, 3_600_000);

async function playCase(role: string, change: (document: Json) => Mutation) {
  // tuf-js reads the clock itself.
  const simulator = trustSimulator(Date.now());
  simulator.addTarget("stable", "stable/kiosk/index", Buffer.from("index"));
  simulator.addTarget("stable", "stable/kiosk/1.0.json", Buffer.from("one"));
  simulator.addTarget("beta", "beta/kiosk/index", Buffer.from("beta"));
  simulator.addTarget("targets", "readme", Buffer.from("read me"));
  simulator.publish("targets", "stable", "beta");
  const readers = [
    ownReader(simulator.firstRoot, simulator.files),
    tufJsReader(simulator.firstRoot, simulator.files),
  ] as const;
  try {
    for (const reader of readers) {
      expect((await reader.ask(PATHS)).targets).not.toContain("refuse");
    }
    const mutation = publishMutated(simulator, role, change);
    const [ours, theirs] = [await readers[0].ask(PATHS), await readers[1].ask(PATHS)];
    return { mutation, ours, theirs };
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** The next version of the role, mutated, in files that name it correctly. */
function publishMutated(
  simulator: ReturnType<typeof trustSimulator>,
  role: string,
  change: (document: Json) => Mutation,
): Mutation {
  simulator.publish(role);
  const original = simulator.document(role);
  const mutated = structuredClone(original);
  const mutation = change(mutated);
  const file = `${role === "timestamp" ? "" : `${original["version"]}.`}${role}.json`;
  const bytes = signAnything(mutated, simulator.keys.get(role) ?? []);
  simulator.files.set(`metadata/${file}`, bytes);
  if (role !== "root" && role !== "timestamp") simulator.rename(role, bytes);
  return mutation;
}

/** Also what has no canonical form, the way a careless signer would. */
function signAnything(signed: Json, keys: readonly TestKey[]): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = canonicalJson(signed);
  } catch {
    bytes = new TextEncoder().encode(carelessJson(signed));
  }
  const signatures = keys.map((key) => ({ keyid: key.id, sig: key.sign(bytes) }));
  return encode({ signatures, signed });
}

function carelessJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(carelessJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, child]) => `"${name}":${carelessJson(child)}`).join(",")}}`;
}

function stance(ours: Answers, theirs: Answers): Disagreement["ours"] {
  const refusals = ({ refresh, targets }: Answers) =>
    [refresh, ...targets].filter((answer) => answer === "refuse").length;
  if (refusals(ours) > refusals(theirs)) return "refuses";
  return refusals(ours) < refusals(theirs) ? "accepts" : "finds something else";
}

function matches(entry: z.infer<typeof Allowed>[number], found: Disagreement): boolean {
  const whole = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text);
  return (
    entry.ours === found.ours &&
    whole(entry.role, found.role) &&
    whole(entry.field, found.field) &&
    whole(entry.what, found.what)
  );
}
