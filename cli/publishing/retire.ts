/** Takes an update out of a channel. Errors: UPB-CLI-NOT-FOUND, UPB-KEYS-*, UPB-TRUST-*. */
import { readIndex } from "../../content/releases.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import {
  type Channel,
  formatUpdate,
  manifestPath,
  type Product,
  type Version,
} from "../../protocol/ids.ts";
import { retireUpdate } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import { openPublisher, type PublisherInput } from "./publisher.ts";

export async function retire(
  session: Session,
  input: PublisherInput & { channel: Channel },
  { product, version }: { product: Product; version: Version },
): Promise<void> {
  const { channel } = input;
  const publisher = await openPublisher(session, input);
  const index = await readIndex(publisher.trusted, publisher.read, channel, product);
  if (!index?.updates.some((one) => one.version === version)) {
    const object = `${formatUpdate({ product, version })} in ${channel}`;
    throw new UpbeatError("UPB-CLI-NOT-FOUND", { object });
  }
  // Brings the manifest's bin, where a channel has bins, into what the writer starts from.
  await publisher.trusted.findTarget(manifestPath(channel, product, version));
  const channelKeys = await publisher.signers(channel);
  session.progress.show({ text: `Sign without ${formatUpdate({ product, version })}` });
  const signed = retireUpdate({
    current: publisher.current,
    index,
    product,
    version,
    channel,
    channelKeys,
    nowMs: session.world.now(),
  });
  await publisher.submit(signed);
  await publisher.refresh();
  session.progress.end("done");
}
