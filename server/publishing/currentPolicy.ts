/**
 * The offer policy that a channel shows, read once for each snapshot. It was checked when it was
 * published; here only damage is found.
 *
 * Errors: UPB-SERVER-DAMAGED, UPB-SERVER-NOT-FOUND for an unknown channel, UPB-SERVER-NO-REPOSITORY.
 */
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type Channel, policyPath } from "../../protocol/ids.ts";
import { type OfferPolicy, readOfferPolicy } from "../../protocol/offerPolicy.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { targetPath } from "./checkTargets.ts";
import { type CurrentSet, readTargets, sha256Of } from "./currentSet.ts";

export type PolicyOf = (channel: Channel) => OfferPolicy | undefined;

/** Undefined: the channel has none. */
export function currentPolicies(
  files: RepositoryFiles,
  current: () => CurrentSet | undefined,
): PolicyOf {
  let snapshotVersion = 0;
  let known = new Map<Channel, OfferPolicy | undefined>();
  return (channel) => {
    const set = current();
    if (set === undefined) throw new UpbeatError("UPB-SERVER-NO-REPOSITORY", { object: channel });
    if (set.snapshot.version !== snapshotVersion) {
      snapshotVersion = set.snapshot.version;
      known = new Map();
    }
    if (!known.has(channel)) known.set(channel, readPolicy(files, set, channel));
    return known.get(channel);
  };
}

function readPolicy(
  files: RepositoryFiles,
  current: CurrentSet,
  channel: Channel,
): OfferPolicy | undefined {
  if (!current.meta.has(channel))
    throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `channel ${channel}` });
  const path = policyPath(channel);
  const sha256 = readTargets(files, current, channel).targets.get(path)?.hashes.sha256;
  if (sha256 === undefined) return undefined;
  const bytes = files.read(targetPath(path, sha256));
  if (bytes === undefined || sha256Of(bytes) !== sha256)
    throw new UpbeatError("UPB-SERVER-DAMAGED", { object: path });
  return readOfferPolicy(bytes, channel, path);
}
