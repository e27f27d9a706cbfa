/** Changes one field of a JSON document, reproducibly. */
import type { Random } from "../support/random.ts";
import type { Json, JsonValue } from "../support/trustSimulator.ts";

export interface Mutation {
  /** Where, with names that differ from run to run replaced: `keys.KEY.keyval.public`. */
  readonly field: string;
  readonly what: string;
}

/** In place. */
export function mutate(document: Json, random: Random): Mutation {
  const places = placesOf(document, []);
  const place = pick(places, random);
  const what = pick(Object.keys(CHANGES), random);
  const change = CHANGES[what];
  if (change === undefined) throw new Error(`no change ${what}`);
  return { field: place.names.map(stableName).join("."), what: change(place, random) ?? what };
}

type Holder = Json | JsonValue[];
interface Place {
  readonly names: readonly string[];
  readonly holder: Holder;
  readonly key: string;
}

function placesOf(value: JsonValue, names: readonly string[]): Place[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const here = [...names, key];
    return [{ names: here, holder: value, key }, ...placesOf(child, here)];
  });
}

const read = ({ holder, key }: Place): JsonValue | undefined =>
  Array.isArray(holder) ? holder[Number(key)] : holder[key];
function write({ holder, key }: Place, value: JsonValue): void {
  if (Array.isArray(holder)) holder[Number(key)] = value;
  else holder[key] = value;
}

// biome-ignore format: a list of values
const VALUES: readonly JsonValue[] = [
  null, true, false, 0, -1, 1, 2, 3, 100, 2 ** 31, 2 ** 53, 1.5, "", "x", "1", "1.0", "2.0.0", "1.0.31.1",
  "2030-01-01T00:00:00Z", "2030-01-01T00:00:00", "2030-02-30T00:00:00Z", "2000-01-01T00:00:00Z",
  "2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00+00:00", "0".repeat(64), "root", "targets", "../x",
  "stable/*", "*/*/*", "ed25519", "rsa", "ecdsa", "rsassa-pss-sha256", [], {}, [""], [1], { a: 1 },
];

/** What can be done to a field; the text that is returned says more of what was done. */
const CHANGES: Record<string, (place: Place, random: Random) => string | undefined> = {
  replace: (place, random) => {
    const value = pick(VALUES, random);
    write(place, structuredClone(value));
    return `replace by ${JSON.stringify(value).slice(0, 30)}`;
  },
  "replace again": (place, random) => CHANGES["replace"]?.(place, random),
  remove: (place) => {
    if (Array.isArray(place.holder)) place.holder.splice(Number(place.key), 1);
    else delete place.holder[place.key];
    return undefined;
  },
  repeat: (place) => {
    const copy = structuredClone(read(place) ?? null);
    if (Array.isArray(place.holder)) place.holder.push(copy);
    else place.holder[`${place.key}2`] = copy;
    return undefined;
  },
  rename: (place) => {
    if (Array.isArray(place.holder)) return "nothing";
    const value = read(place) ?? null;
    delete place.holder[place.key];
    place.holder[`${place.key}x`] = value;
    return undefined;
  },
  nudge: (place, random) => {
    const value = read(place);
    if (typeof value === "number") write(place, value + (random.below(2) === 0 ? 1 : -1));
    else if (typeof value === "string") write(place, nudged(value, random));
    else return "nothing";
    return undefined;
  },
};

function nudged(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return `${text.slice(0, at)}${pick(["0", "z", "/", "*", ""], random)}${text.slice(at + 1)}`;
}

/** Key ids, hashes and list positions say nothing about the kind of a field. */
function stableName(name: string): string {
  if (/^[0-9a-f]{60,}[2x]?$/.test(name)) return "KEY";
  if (/^\d+$/.test(name)) return "N";
  if (/\.json[2x]?$/.test(name)) return "FILE";
  return name.includes("/") ? "PATH" : name;
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}
