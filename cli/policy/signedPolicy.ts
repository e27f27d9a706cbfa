/** The offer policy of a channel as the server shows it, for commands that only look. */
import { ChannelPolicyAnswer } from "../../protocol/adminApi.ts";
import { emptyOfferPolicy, type OfferPolicy } from "../../protocol/offerPolicy.ts";
import type { Session } from "../command.ts";
import { serverClient } from "../serverClient.ts";
import { serverSettings } from "../settings.ts";
import type { PolicyInput } from "./input.ts";

/** A channel without a policy has an empty one. */
export async function signedPolicy(input: PolicyInput, { world }: Session): Promise<OfferPolicy> {
  const client = serverClient(serverSettings(world, input), world.interrupted);
  const { policy } = await client.get(
    `api/v1/channels/${input.channel}/policy`,
    ChannelPolicyAnswer,
  );
  return policy ?? emptyOfferPolicy(input.channel, new Date(world.now()).toISOString());
}
