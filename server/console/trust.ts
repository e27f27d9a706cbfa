/**
 * Who may sign what, as the shown metadata says, and who has signed it. It was verified when it was
 * published; here it is only read. Errors: UPB-SERVER-DAMAGED.
 */
import type { RoleSigners, TrustState } from "../../protocol/admin/trust.ts";
import { delegatedKeyRing } from "../../protocol/trust/delegations.ts";
import type { KeyRing } from "../../protocol/trust/keys.ts";
import {
  type Envelope,
  keyRing,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
} from "../../protocol/trust/schema.ts";
import {
  type CurrentSet,
  presentFile,
  roleBytes,
  rolePath,
  TIMESTAMP_PATH,
} from "../publishing/currentSet.ts";
import type { Publishing } from "../publishing/publishing.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";

export function trustState(files: RepositoryFiles, publishing: Publishing): TrustState {
  const current = publishing.current();
  const rootSha256 = publishing.rootSha256();
  return {
    ...(rootSha256 === undefined ? {} : { rootSha256 }),
    roles: current === undefined ? [] : rolesOf(files, current),
  };
}

/** In the order of trust: root, targets, channels, snapshot, timestamp. */
export function rolesOf(files: RepositoryFiles, current: CurrentSet): RoleSigners[] {
  const { root, snapshot } = current;
  const rootBytes = presentFile(files, rolePath("root", root.version));
  const targets = parseTargets(roleBytes(files, current, "targets"), "targets");
  const { delegations } = targets.signed;
  const channels = delegations?.roles.map(({ name }) => name) ?? [];
  const snapshotBytes = presentFile(files, rolePath("snapshot", snapshot.version));
  return [
    signersOf("root", parseRoot(rootBytes), keyRing(root, "root")),
    signersOf("targets", targets, keyRing(root, "targets")),
    ...channels.flatMap((name) => {
      const ring = delegations && delegatedKeyRing(delegations, name);
      const envelope = parseTargets(roleBytes(files, current, name), name);
      return ring === undefined ? [] : [signersOf(name, envelope, ring)];
    }),
    signersOf("snapshot", parseSnapshot(snapshotBytes), keyRing(root, "snapshot"), true),
    signersOf(
      "timestamp",
      parseTimestamp(presentFile(files, TIMESTAMP_PATH)),
      keyRing(root, "timestamp"),
      true,
    ),
  ];
}

function signersOf(
  role: string,
  { signed, canonical, signatures }: Envelope<{ version: number; expiresMs: number }>,
  ring: KeyRing,
  online = false,
): RoleSigners {
  const { threshold, keyIds } = ring.role;
  const { version, expiresMs } = signed;
  const hasSigned = (keyId: string): boolean => {
    const signature = signatures.get(keyId);
    const check = ring.keys.get(keyId)?.check;
    return signature !== undefined && check?.(canonical, Buffer.from(signature, "hex")) === true;
  };
  const keys = keyIds.map((keyId) => ({ keyId, signed: hasSigned(keyId) }));
  return { role, threshold, keys, version, expiresMs, online };
}
