/**
 * Changes the offer policy of a channel: the signed one is read from the verified repository, edited,
 * signed with the channel's key and published like anything else. The server can only take it as it
 * is or refuse it; every device follows at its next check.
 *
 * Errors: UPB-POLICY-EDIT, UPB-POLICY-WIDENS, UPB-CLI-NOT-FOUND, UPB-POLICY-*, UPB-PUBLISH-STALE when somebody else was
 * faster, UPB-KEYS-*, UPB-TRUST-*, those of the server.
 */
import { z } from "zod";
import { readChannelPolicy } from "../../content/channelPolicy.ts";
import { nextPolicy, type PolicyEdit } from "../../core/policyEdits.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { policyPath } from "../../protocol/ids.ts";
import { emptyOfferPolicy, OfferPolicy } from "../../protocol/offerPolicy.ts";
import { writePolicy } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import { openPublisher, type Publisher } from "../publishing/publisher.ts";
import type { EditedPolicy, PolicyInput } from "./input.ts";

const REFUSED = {
  missing: "UPB-CLI-NOT-FOUND",
  refused: "UPB-POLICY-EDIT",
  widens: "UPB-POLICY-WIDENS",
} as const;

/** `edit` gets the policy before, so that it can choose an id that is free. */
export async function editPolicy(
  session: Session,
  input: PolicyInput,
  /** What is edited, for people: `rollout kiosk-1.4`. */
  what: string,
  edit: (before: OfferPolicy, publisher: Publisher) => PolicyEdit | Promise<PolicyEdit>,
): Promise<EditedPolicy> {
  const { channel } = input;
  const nowIso = new Date(session.world.now()).toISOString();
  const publisher = await openPublisher(session, input);
  const known = await readChannelPolicy(publisher.trusted, publisher.read, channel);
  const before = known?.policy ?? { ...emptyOfferPolicy(channel, nowIso), revision: 0 };
  const edited = nextPolicy(before, await edit(before, publisher), nowIso);
  if (edited.is === "unchanged")
    return { outcome: "unchanged", because: edited.because, policy: before };
  if (edited.is !== "changed") {
    throw new UpbeatError(REFUSED[edited.is], {
      object: `${what} in ${channel}`,
      detail: edited.because,
    });
  }
  // As a reader will see it: without the fields that are undefined.
  const checked = OfferPolicy.safeParse(JSON.parse(JSON.stringify(edited.policy)));
  if (!checked.success) {
    const detail = z.prettifyError(checked.error);
    throw new UpbeatError("UPB-POLICY-INVALID", { object: policyPath(channel), detail });
  }
  const channelKeys = await publisher.signers(channel);
  session.progress.show({
    text: `Sign the policy of ${channel}, revision ${edited.policy.revision}`,
  });
  const signed = writePolicy({
    current: publisher.current,
    policy: checked.data,
    channelKeys,
    nowMs: session.world.now(),
  });
  await publisher.submit(signed);
  await publisher.refresh();
  session.progress.end("done");
  return { outcome: "changed", because: "", policy: checked.data };
}
