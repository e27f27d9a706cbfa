/**
 * The part of the publish gate for offer policies: can every device use it, and does it follow the
 * one before? Its revision goes up by one, so that two administrators who write at once notice each
 * other; and it stays, because without one everything would be offered to everybody.
 *
 * Errors: UPB-POLICY-*, UPB-PUBLISH-STALE, UPB-PUBLISH-INCONSISTENT.
 */
import { evaluateRule } from "../../core/applicability.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Channel } from "../../protocol/ids.ts";
import { policyPath } from "../../protocol/ids.ts";
import type { Rule } from "../../protocol/manifest.ts";
import { type OfferPolicy, POLICY_MAX_BYTES, readOfferPolicy } from "../../protocol/offerPolicy.ts";

/** `before` and `after`: its bytes as they are shown, and as they are to be; undefined: none. */
export function checkPolicy(
  channel: Channel,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): void {
  const object = policyPath(channel);
  if (after === undefined) {
    const detail = "without a policy every update would be offered to every machine";
    throw new UpbeatError("UPB-PUBLISH-INCONSISTENT", { object, detail });
  }
  if (after.length > POLICY_MAX_BYTES) {
    const detail = `a device reads ${POLICY_MAX_BYTES} bytes at most, these are ${after.length}`;
    throw new UpbeatError("UPB-POLICY-INVALID", { object, detail });
  }
  const policy = readable(after, channel, object);
  const wanted = before === undefined ? 1 : readOfferPolicy(before, channel, object).revision + 1;
  if (policy.revision !== wanted) {
    const detail = `expected revision ${wanted}, found ${policy.revision}`;
    throw new UpbeatError("UPB-PUBLISH-STALE", { object, detail });
  }
  for (const { name, who } of rulesIn(policy)) {
    const evaluation = evaluateRule(who, {});
    if (evaluation.is === "evaluated") continue;
    const detail = `no device can evaluate the rule of ${name}: ${evaluation.because}`;
    throw new UpbeatError("UPB-POLICY-INVALID", { object, detail });
  }
}

function readable(bytes: Uint8Array, channel: Channel, object: string): OfferPolicy {
  try {
    return readOfferPolicy(bytes, channel, object);
  } catch (cause) {
    // A rule that is nested beyond the stack.
    if (!(cause instanceof RangeError)) throw cause;
    throw new UpbeatError("UPB-POLICY-INVALID", {
      object,
      detail: "it is nested too deeply",
      cause,
    });
  }
}

function rulesIn(policy: OfferPolicy): { name: string; who: Rule }[] {
  return [
    ...policy.rollouts.flatMap(({ id, rings }) =>
      rings.map(({ name, who }) => ({ name: `${id}, ring ${name}`, who })),
    ),
    ...[...policy.holds, ...policy.approvals, ...policy.settings].map(({ id, who }) => ({
      name: id,
      who,
    })),
    ...policy.pins.map(({ product, who }) => ({ name: `the pin of ${product}`, who })),
  ].flatMap(({ name, who }) => (who === undefined ? [] : [{ name, who }]));
}
