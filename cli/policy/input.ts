/** What every command that changes or shows a channel's offer policy takes, and how it answers. */
import { Channel } from "../../protocol/ids.ts";
import type { OfferPolicy } from "../../protocol/offerPolicy.ts";
import type { Answer, Option } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { PASSPHRASE_OPTION, PassphraseInput } from "../keys/passphrase.ts";
import { KEYS_OPTION, KeysInput } from "../keys/where.ts";
import type { PublisherInput } from "../publishing/publisher.ts";
import { SERVER_OPTIONS, ServerInput } from "../settings.ts";
import type { editPolicy } from "./editPolicy.ts";

const CHANNEL_OPTION: Option = {
  flags: "--channel <name>",
  text: "of which channel (default stable)",
};
const ChannelInput = { channel: Channel.prefault("stable") };

/** Reading asks the server; changing signs with the channel's key. */
export const READING_OPTIONS: readonly Option[] = [CHANNEL_OPTION, ...SERVER_OPTIONS];
export const ReadingInput = { ...ServerInput, ...ChannelInput };
export const SIGNING_OPTIONS: readonly Option[] = [
  ...READING_OPTIONS,
  KEYS_OPTION,
  PASSPHRASE_OPTION,
];
export const SigningInput = { ...ReadingInput, ...KeysInput, ...PassphraseInput };
export type PolicyInput = PublisherInput & { channel: Channel };

export const WHO_OPTION: Option = {
  flags: "--who <machines>",
  text: "only these, e.g. tag.kiosk, os.id=debian,ubuntu or os.version>=12 (default: all)",
};

export interface EditedPolicy {
  readonly outcome: "changed" | "unchanged";
  /** Why nothing was changed. */
  readonly because: string;
  /** As it is now. */
  readonly policy: OfferPolicy;
}

/** Nothing that signs is loaded before something is signed. */
export const edited = async (...args: Parameters<typeof editPolicy>): Promise<EditedPolicy> =>
  (await import("./editPolicy.ts")).editPolicy(...args);

/** One sentence, and the revision to look for on devices. */
export function editedAnswer(
  { outcome, because, policy }: EditedPolicy,
  sentence: string,
  data: Readonly<Record<string, unknown>>,
): Answer {
  const { channel, revision } = policy;
  return {
    schema: "upbeat.policyEdited/1",
    data: { outcome, channel, revision, ...data },
    text: (style) =>
      outcome === "unchanged"
        ? `Nothing to do: ${because}`
        : `${style.good(style.marks.done)} ${sentence} ${style.dim(`(policy of ${channel}, revision ${revision})`)}`,
    exitCode: outcome === "changed" ? EXIT.ok : EXIT.nothingToDo,
  };
}
