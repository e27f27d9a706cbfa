/**
 * Reads the offer policy of a channel, and believes it only when the channel's own role vouches for
 * its bytes. Undefined: the channel has none, and every update of it is offered.
 *
 * Errors: UPB-TRUST-* (of the search, -HASH, -LENGTH), UPB-POLICY-*, and those of the reader.
 */
import { type Channel, policyPath, type Sha256 } from "../protocol/ids.ts";
import { type OfferPolicy, POLICY_MAX_BYTES, readOfferPolicy } from "../protocol/offerPolicy.ts";
import type { TrustedMetadata } from "../protocol/trust/ports.ts";
import { readTarget, type TargetReader } from "./releases.ts";

export interface ChannelPolicy {
  readonly policy: OfferPolicy;
  /** Of the bytes as signed. */
  readonly sha256: Sha256;
}

export async function readChannelPolicy(
  trusted: TrustedMetadata,
  read: TargetReader,
  channel: Channel,
): Promise<ChannelPolicy | undefined> {
  const path = policyPath(channel);
  const target = await trusted.findTarget(path);
  if (target === undefined) return undefined;
  const bytes = await readTarget(target, read, POLICY_MAX_BYTES);
  return { policy: readOfferPolicy(bytes, channel, path), sha256: target.sha256 };
}
