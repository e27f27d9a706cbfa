/**
 * Which delegated roles may speak for a target path (TUF specification 4.5 and 5.6.7).
 *
 * Path patterns hold literals, `*` (any run without `/`) and `?` (one character, not `/`), nothing
 * else: the larger languages of other clients differ from each other in what they match.
 * Errors: UPB-TRUST-MALFORMED.
 */
import { createHash } from "node:crypto";
import {
  asObject,
  booleanAt,
  integerAt,
  type JsonObject,
  listAt,
  malformed,
  memberAt,
  objectAt,
  textAt,
  textsAt,
} from "./fields.ts";
import { type KeyRing, keysOf, type PublicKey, type RoleKeys, roleKeysOf } from "./keys.ts";
import { isTopLevel } from "./roleNames.ts";

export interface DelegatedRole extends RoleKeys {
  readonly name: string;
  readonly terminating: boolean;
  readonly matches:
    | { readonly paths: readonly string[] }
    | { readonly prefixes: readonly string[] };
}

/** 2^bits roles that share keys, named `PREFIX-HEX`; a path's SHA-256 chooses (TAP 15). */
export interface SuccinctRoles extends RoleKeys {
  readonly bits: number;
  readonly namePrefix: string;
}

export interface Delegations {
  readonly keys: ReadonlyMap<string, PublicKey>;
  readonly roles: readonly DelegatedRole[];
  readonly succinct: SuccinctRoles | undefined;
}

export function parseDelegations(json: JsonObject, object: string): Delegations {
  const keys = keysOf(json, object);
  const hasRoles = memberAt(json, "roles") !== undefined;
  const hasSuccinct = memberAt(json, "succinct_roles") !== undefined;
  if (hasRoles === hasSuccinct) {
    throw malformed(object, `expected one of "roles" and "succinct_roles"`);
  }
  if (hasSuccinct) {
    return {
      keys,
      roles: [],
      succinct: succinctOf(objectAt(json, "succinct_roles", object), object),
    };
  }
  const roles = listAt(json, "roles", object).map((item) =>
    delegatedRoleOf(asObject(item, "roles", object), object),
  );
  if (new Set(roles.map((role) => role.name)).size !== roles.length) {
    throw malformed(object, "a role is delegated to twice");
  }
  return { keys, roles, succinct: undefined };
}

/** The roles to ask about a path, in the delegator's order of trust (5.6.7). */
export function delegatedRolesFor(
  delegations: Delegations,
  path: string,
): { name: string; terminating: boolean }[] {
  const digest = createHash("sha256").update(path, "utf8").digest("hex");
  if (delegations.succinct !== undefined) {
    // One bin and no other can hold the path, so the search ends there.
    return [{ name: succinctRoleName(delegations.succinct, digest), terminating: true }];
  }
  return delegations.roles.filter(({ matches }) =>
    "paths" in matches
      ? matches.paths.some((pattern) => matchesPattern(path, pattern))
      : matches.prefixes.some((prefix) => digest.startsWith(prefix)),
  );
}

/** Who may sign the delegated role; undefined when this delegator doesn't know it. */
export function delegatedKeyRing(
  { keys, roles, succinct }: Delegations,
  name: string,
): KeyRing | undefined {
  const role =
    succinct === undefined
      ? roles.find((candidate) => candidate.name === name)
      : isBinOf(succinct, name)
        ? succinct
        : undefined;
  return role === undefined ? undefined : { keys, role };
}

/** Linear in practice and quadratic at worst, never exponential: no regular expression is built. */
export function matchesPattern(path: string, pattern: string): boolean {
  const segments = path.split("/");
  const patterns = pattern.split("/");
  return (
    segments.length === patterns.length &&
    segments.every((segment, at) => matchesSegment([...segment], [...(patterns[at] ?? "")]))
  );
}

/** Two pointers with the place of the last `*` to come back to. */
function matchesSegment(text: readonly string[], pattern: readonly string[]): boolean {
  let at = 0;
  let inPattern = 0;
  let star: { inPattern: number; at: number } | undefined;
  while (at < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === "*") {
      star = { inPattern, at };
      inPattern++;
    } else if (wanted !== undefined && (wanted === "?" || wanted === text[at])) {
      at++;
      inPattern++;
    } else if (star !== undefined) {
      star.at++;
      at = star.at;
      inPattern = star.inPattern + 1;
    } else return false;
  }
  while (pattern[inPattern] === "*") inPattern++;
  return inPattern === pattern.length;
}

function succinctRoleName({ bits, namePrefix }: SuccinctRoles, digest: string): string {
  const bin = Number.parseInt(digest.slice(0, 8), 16) >>> (32 - bits);
  return `${namePrefix}-${bin.toString(16).padStart(hexDigits(bits), "0")}`;
}

/** Digits of the highest bin number (specification 4.5): 8 bits make 256 bins, 00 to ff. */
const hexDigits = (bits: number): number => (2 ** bits - 1).toString(16).length;

function isBinOf({ bits, namePrefix }: SuccinctRoles, name: string): boolean {
  if (!name.startsWith(`${namePrefix}-`)) return false;
  const digits = name.slice(namePrefix.length + 1);
  return (
    digits.length === hexDigits(bits) &&
    /^[0-9a-f]+$/.test(digits) &&
    Number.parseInt(digits, 16) < 2 ** bits
  );
}

function succinctOf(json: JsonObject, object: string): SuccinctRoles {
  const bits = integerAt(json, "bit_length", 1, object);
  // 32 as in the specification 4.5; the bin is cut from the first 32 bits of the digest.
  if (bits > 32) throw malformed(object, `"bit_length" is more than 32`);
  const namePrefix = textAt(json, "name_prefix", object);
  return { ...roleKeysOf(json, object), bits, namePrefix };
}

function delegatedRoleOf(json: JsonObject, object: string): DelegatedRole {
  const name = textAt(json, "name", object);
  if (name === "" || isTopLevel(name)) throw malformed(object, `it delegates to "${name}"`);
  const hasPaths = memberAt(json, "paths") !== undefined;
  const hasPrefixes = memberAt(json, "path_hash_prefixes") !== undefined;
  if (hasPaths === hasPrefixes) {
    throw malformed(object, `expected one of "paths" and "path_hash_prefixes" for "${name}"`);
  }
  return {
    ...roleKeysOf(json, object),
    name,
    terminating: booleanAt(json, "terminating", object),
    matches: hasPaths
      ? { paths: textsAt(json, "paths", object) }
      : { prefixes: textsAt(json, "path_hash_prefixes", object) },
  };
}
