/**
 * The first part of the publish gate: is the new signed metadata what every device will accept?
 * The chain of roots, each version exactly one higher, each signature under its delegator, and the
 * writer's own layout, so that nothing that another reader might see differently is ever shown.
 *
 * Errors: UPB-PUBLISH-STALE, -INCOMPLETE, -INCONSISTENT, UPB-SERVER-NO-REPOSITORY, UPB-TRUST-*.
 */
import type { RepositoryUpdate, SignerKeys } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel, policyPath } from "../../protocol/ids.ts";
import { allBins, BIN_BITS, binOf } from "../../protocol/trust/bins.ts";
import type { Root, Targets } from "../../protocol/trust/schema.ts";
import { keyRing, parseRoot, parseTargets } from "../../protocol/trust/schema.ts";
import {
  requireUnexpired,
  verifyDelegated,
  verifyNextRoot,
  verifyTargets,
  verifyTrustedRoot,
} from "../../protocol/trust/verify.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import type { RoleMeta } from "../signer/rules.ts";
import { type CurrentSet, readTargets, roleBytes, roleMetaOf } from "./currentSet.ts";

export interface NextSet {
  readonly root: Root;
  /** Only when it changes. */
  readonly rootBytes: Uint8Array | undefined;
  /** Verified, by role: only those that change. */
  readonly changed: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly content: Targets }>;
  /** Every role that the snapshot is to name. */
  readonly meta: ReadonlyMap<string, RoleMeta>;
}

/** With 132 bytes each, what a device reads of a snapshot (2 MB) holds 15,000 roles. */
const MAX_ROLES = 10_000;

export function checkMetadata(input: {
  files: RepositoryFiles;
  current: CurrentSet | undefined;
  update: RepositoryUpdate;
  signerKeys: SignerKeys;
  nowMs: number;
}): NextSet {
  const { files, current, update, nowMs } = input;
  const rootBytes = update.root === undefined ? undefined : Buffer.from(update.root, "base64");
  const root = checkRoot(current, rootBytes, input.signerKeys);
  requireUnexpired(root.expiresMs, nowMs, "root");
  const given = new Map(
    Object.entries(update.roles).map(([role, text]) => [role, Buffer.from(text, "base64")]),
  );
  const changed = new Map<string, { bytes: Uint8Array; content: Targets }>();

  /** The role as it will be, verified unless neither it nor who vouches for it changes. */
  const take = (role: string, isTrusted: boolean, verify: (bytes: Uint8Array) => Targets) => {
    const bytes = given.get(role);
    if (bytes === undefined) {
      if (!current?.meta.has(role)) throw incomplete(role);
      if (isTrusted) return readTargets(files, current, role);
      return verify(roleBytes(files, current, role));
    }
    const content = verify(bytes);
    const wanted = (current?.meta.get(role)?.version ?? 0) + 1;
    if (content.version !== wanted) throw stale(role, wanted, content.version);
    requireUnexpired(content.expiresMs, nowMs, role);
    changed.set(role, { bytes, content });
    return content;
  };

  const targets = take("targets", rootBytes === undefined, (bytes) => verifyTargets(root, bytes));
  requireUnexpired(targets.expiresMs, nowMs, "targets");
  if (targets.targets.size > 0) throw inconsistent("targets", "it lists targets of its own");
  for (const channel of channelsOf(targets)) {
    const bins = allBins(channel);
    const isTouched = given.has(channel) || bins.some((bin) => given.has(bin));
    if (!isTouched && !given.has("targets")) continue;
    const verify = (bytes: Uint8Array) => verifyDelegated(targets, channel, bytes);
    const content = take(channel, !given.has("targets"), verify);
    if (isTouched) requireUnexpired(content.expiresMs, nowMs, channel);
    if (content.delegations === undefined) {
      requirePlaces(content, channel, () => true);
      continue;
    }
    requireBins(content, channel);
    for (const bin of bins) {
      if (!given.has(bin) && !given.has(channel)) continue;
      const found = take(bin, !given.has(channel), (bytes) => verifyDelegated(content, bin, bytes));
      if (found.delegations !== undefined) throw inconsistent(bin, "it delegates");
      const isHere = (path: string) => path !== policyPath(channel) && binOf(channel, path) === bin;
      requirePlaces(found, bin, isHere, channel);
    }
  }
  for (const role of given.keys()) {
    if (changed.has(role)) continue;
    throw new UpbeatError("UPB-TRUST-ROLE", { object: role, detail: "nothing delegates to it" });
  }
  const meta = new Map(current?.meta);
  for (const [role, { bytes, content }] of changed)
    meta.set(role, roleMetaOf(content.version, bytes));
  if (meta.size > MAX_ROLES) throw inconsistent("snapshot", `more than ${MAX_ROLES} roles`);
  return { root, rootBytes, changed, meta };
}

function checkRoot(
  current: CurrentSet | undefined,
  bytes: Uint8Array | undefined,
  signerKeys: SignerKeys,
): Root {
  if (bytes === undefined) {
    if (current !== undefined) return current.root;
    throw new UpbeatError("UPB-SERVER-NO-REPOSITORY", { object: "root" });
  }
  const wanted = (current?.root.version ?? 0) + 1;
  const found = parseRoot(bytes).signed.version;
  if (found !== wanted) throw stale("root", wanted, found);
  const root = current ? verifyNextRoot(current.root, bytes) : verifyTrustedRoot(bytes);
  if (!root.consistentSnapshot) throw inconsistent("root", "it has no consistent snapshots");
  for (const role of ["snapshot", "timestamp"] as const) {
    const ring = keyRing(root, role);
    const identities = ring.role.keyIds.map((id) => ring.keys.get(id)?.identity);
    // Anything else could never be signed here.
    if (ring.role.threshold === 1 && identities.includes(`ed25519:${signerKeys[role]}`)) continue;
    throw inconsistent("root", `the key of this server's signer is not the one for ${role}`);
  }
  return root;
}

/** As `channelDelegations` writes them: one terminating role a channel, for its own paths. */
function channelsOf({ delegations }: Targets): Channel[] {
  if (delegations === undefined || delegations.succinct !== undefined)
    throw inconsistent("targets", "it delegates to no channels");
  return delegations.roles.map(({ name, terminating, matches }) => {
    const channel = Channel.safeParse(name);
    const isPlain =
      channel.success &&
      !(name in Object.prototype) &&
      terminating &&
      "paths" in matches &&
      matches.paths.length === 1 &&
      matches.paths[0] === `${name}/*/*`;
    if (!isPlain) throw inconsistent(name, "it is not delegated to as a channel");
    return channel.data;
  });
}

function requireBins({ delegations, targets }: Targets, channel: Channel): void {
  const { bits, namePrefix } = delegations?.succinct ?? {};
  const isPlain = [...targets.keys()].every((path) => path === policyPath(channel));
  if (bits === BIN_BITS && namePrefix === channel && isPlain) return;
  throw inconsistent(channel, "it delegates to something else than its hash bins");
}

function requirePlaces(
  { targets }: Targets,
  role: string,
  isHere: (path: string) => boolean,
  channel = role,
): void {
  for (const path of targets.keys()) {
    if (path.startsWith(`${channel}/`) && isHere(path)) continue;
    throw inconsistent(role, `no device would look for ${path} there`);
  }
}

const stale = (role: string, wanted: number, found: number): UpbeatError =>
  new UpbeatError("UPB-PUBLISH-STALE", {
    object: role,
    detail: `expected version ${wanted}, found ${found}`,
  });

const incomplete = (role: string): UpbeatError =>
  new UpbeatError("UPB-PUBLISH-INCOMPLETE", { object: `the role ${role}` });

export const inconsistent = (object: string, detail: string): UpbeatError =>
  new UpbeatError("UPB-PUBLISH-INCONSISTENT", { object, detail });

/** The role that lists a path in the set as it will be. */
export function targetsAt(
  files: RepositoryFiles,
  current: CurrentSet | undefined,
  next: NextSet,
): (channel: Channel, path: string) => Targets["targets"] {
  const read = new Map<string, Targets>();
  const roleOf = (role: string): Targets => {
    const found = next.changed.get(role)?.content ?? read.get(role);
    if (found !== undefined) return found;
    if (current === undefined) throw incomplete(role);
    const parsed = parseTargets(roleBytes(files, current, role), role).signed;
    read.set(role, parsed);
    return parsed;
  };
  return (channel, path) => {
    const top = roleOf(channel);
    return top.delegations === undefined ? top.targets : roleOf(binOf(channel, path)).targets;
  };
}
