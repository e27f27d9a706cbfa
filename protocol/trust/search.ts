/**
 * Finds the role that vouches for a target path: a preorder search through the delegations, loading
 * roles as needed (TUF specification 5.6.7).
 *
 * Errors: UPB-TRUST-ROLE, UPB-TRUST-HASH, and those of loading a role.
 */
import { UpbeatError } from "../errors/error.ts";
import { Sha256 } from "../ids.ts";
import { delegatedRolesFor } from "./delegations.ts";
import { loadTargets } from "./load.ts";
import type { MetadataSource, TrustedMetadata } from "./ports.ts";
import type { Snapshot, TargetFile, Targets, Timestamp } from "./schema.ts";
import type { TrustState } from "./trustedSet.ts";
import { verifyDelegated } from "./verify.ts";

/** python-tuf's bound on roles asked for one path; ours are 2 or 3 deep. */
const MAX_ROLES = 32;

export interface FoundTarget {
  readonly file: TargetFile;
  readonly role: string;
}

export interface TufSet extends TrustedMetadata {
  /** Like `findTarget`, with whichever known hashes the role signed. */
  findFile(path: string): Promise<FoundTarget | undefined>;
  /** Whether target files have their hash before their name (specification 6.2). */
  readonly consistentSnapshot: boolean;
}

export interface VerifiedSet {
  readonly state: TrustState;
  readonly source: MetadataSource;
  readonly timestamp: Timestamp;
  readonly snapshot: Snapshot;
  readonly targets: Targets;
}

export function tufSet(set: VerifiedSet): TufSet {
  const { state, timestamp, snapshot, targets } = set;
  const { root } = state;
  const expires = {
    root: root.expiresMs,
    timestamp: timestamp.expiresMs,
    snapshot: snapshot.expiresMs,
    targets: targets.expiresMs,
  };
  const load = roleLoader(set);
  const findFile = (path: string) => search(targets, path, load);
  return {
    versions: {
      root: root.version,
      timestamp: timestamp.version,
      snapshot: snapshot.version,
      targets: targets.version,
    },
    expires,
    expiresMs: Math.min(...Object.values(expires)),
    consistentSnapshot: root.consistentSnapshot,
    findFile,
    findTarget: async (path) => {
      const found = await findFile(path);
      if (found === undefined) return undefined;
      const { role, file } = found;
      if (file.hashes.sha256 === undefined) {
        throw new UpbeatError("UPB-TRUST-HASH", { object: path, detail: "it has no sha256" });
      }
      return { path, sha256: Sha256.parse(file.hashes.sha256), sizeBytes: file.sizeBytes, role };
    },
  };
}

type LoadRole = (delegatorName: string, delegator: Targets, role: string) => Promise<Targets>;

/** A role is verified once per delegator: it must not inherit the authority of another path. */
function roleLoader({ state, source, snapshot }: VerifiedSet): LoadRole {
  const loaded = new Map<string, Targets>();
  return async (delegatorName, delegator, role) => {
    const key = JSON.stringify([delegatorName, role]);
    const before = loaded.get(key);
    if (before !== undefined) return before;
    const verify = (bytes: Uint8Array) => verifyDelegated(delegator, role, bytes);
    const targets = await loadTargets({ state, source, snapshot, role, verify });
    loaded.set(key, targets);
    return targets;
  };
}

async function search(
  top: Targets,
  path: string,
  load: LoadRole,
): Promise<FoundTarget | undefined> {
  const asked = new Set<string>();
  let waiting: { role: string; get: () => Promise<Targets> }[] = [
    { role: "targets", get: async () => top },
  ];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { role, get } = next;
    if (asked.has(role)) continue; // 5.6.7.1: cycles
    if (asked.size === MAX_ROLES) {
      const detail = `more than ${MAX_ROLES} roles are asked for ${path}`;
      throw new UpbeatError("UPB-TRUST-ROLE", { object: role, detail });
    }
    asked.add(role);
    const targets = await get();
    const file = targets.targets.get(path);
    if (file !== undefined) return { file, role };
    if (targets.delegations === undefined) continue;
    const children: typeof waiting = [];
    for (const child of delegatedRolesFor(targets.delegations, path)) {
      children.push({ role: child.name, get: () => load(role, targets, child.name) });
      if (!child.terminating) continue;
      waiting = []; // 5.6.7.2.1: nobody after a terminating role is asked
      break;
    }
    waiting.push(...children.reverse());
  }
  return undefined;
}
