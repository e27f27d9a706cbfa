/**
 * What every signing command starts with: the repository as the server shows it now, verified from
 * the publisher's own first root with the same client that devices use. A stolen server therefore
 * cannot make a publisher sign on top of something that the publisher never signed.
 *
 * Errors: UPB-KEYS-*, UPB-TRUST-*, those of the server.
 */
import { existsSync, readFileSync } from "node:fs";
import { httpMetadataSource, httpTargetReader } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import type { TargetReader } from "../../content/releases.ts";
import { RepositoryState, type RepositoryUpdate } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type Channel, policyPath } from "../../protocol/ids.ts";
import { allBins, binOf } from "../../protocol/trust/bins.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { RoleRule } from "../../protocol/trust/documents.ts";
import type { RoleKeys } from "../../protocol/trust/keys.ts";
import type { TrustedMetadata } from "../../protocol/trust/ports.ts";
import { parseTargets } from "../../protocol/trust/schema.ts";
import type { SigningKey } from "../../protocol/trust/sign.ts";
import type { CurrentRole } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import {
  firstRootFile,
  type KeyFolder,
  openKey,
  openKeyFolder,
  presentKeys,
  trustedFolder,
} from "../keys/keyFolder.ts";
import { passphraseFor } from "../keys/passphrase.ts";
import { keysFolder } from "../keys/where.ts";
import { type ServerClient, serverClient } from "../serverClient.ts";
import { serverSettings } from "../settings.ts";
import { channelsOf, ruleOf } from "./roleRules.ts";

export interface PublisherInput {
  server?: string | undefined;
  tokenFile?: string | undefined;
  keys?: string | undefined;
  passphraseFile?: string | undefined;
}

export interface Publisher {
  readonly client: ServerClient;
  readonly keys: KeyFolder;
  readonly trusted: TrustedMetadata;
  /** Verified metadata of a role, once it was loaded. */
  readonly current: CurrentRole;
  readonly read: TargetReader;
  channels(): string[];
  rulesOf(role: string): RoleRule & RoleKeys;
  /** Opens at least a threshold of the role's keys, or says which are missing. */
  signers(role: string): Promise<SigningKey[]>;
  /** Sends what was signed; the server checks it all before it shows any of it. */
  submit(update: RepositoryUpdate): Promise<RepositoryState>;
  /** Takes in what was submitted, so that no server can ever show less to this publisher. */
  refresh(): Promise<TrustedMetadata>;
}

export async function openPublisher(session: Session, input: PublisherInput): Promise<Publisher> {
  const { world, progress } = session;
  const settings = serverSettings(world, input);
  const client = serverClient(settings, world.interrupted);
  const keys = openKeyFolder(keysFolder(world, input));
  const store = metadataStore(trustedFolder(keys.folder));
  const trustedRoot = readFirstRoot(keys.folder);
  const source = httpMetadataSource(settings.url);
  const refreshed = () => refresh({ trustedRoot, store, source, now: world.now });
  progress.show({ text: "Verify the repository from your own root" });
  const trusted = await refreshed();
  progress.end("done");
  const current: CurrentRole = (role) =>
    store.read(role) ?? (role === "root" ? trustedRoot : undefined);
  const rulesOf = (role: string) => ruleOf(current, role);
  return {
    client,
    keys,
    trusted,
    current,
    read: httpTargetReader(settings.url),
    channels: () => channelsOf(current),
    rulesOf,
    signers: (role) => openSigners(session, input, keys, role, rulesOf(role)),
    submit: (update) => client.post("api/v1/repository", update, RepositoryState),
    refresh: refreshed,
  };
}

/** Loads a channel's role into what `current` gives. */
export async function loadChannel({ trusted }: Publisher, channel: Channel): Promise<void> {
  // Any path of the channel makes the search load its role.
  await trusted.findTarget(policyPath(channel));
}

/** Loads a channel's role and all of its bins, and names them. */
export async function loadChannelRoles(publisher: Publisher, channel: Channel): Promise<string[]> {
  await loadChannel(publisher, channel);
  const bytes = publisher.current(channel);
  if (bytes === undefined) throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: channel });
  if (parseTargets(bytes, channel).signed.delegations === undefined) return [channel];
  // A role is loaded by asking for a path that it would hold: try paths until every bin was asked.
  const waiting = new Set(allBins(channel));
  for (let number = 0; waiting.size > 0; number++) {
    const path = `${channel}/-/${number}`;
    if (waiting.delete(binOf(channel, path))) await publisher.trusted.findTarget(path);
  }
  return [channel, ...allBins(channel)];
}

async function openSigners(
  session: Session,
  input: PublisherInput,
  all: KeyFolder,
  role: string,
  { keyIds, threshold }: RoleKeys,
): Promise<SigningKey[]> {
  const present = presentKeys(all, keyIds);
  if (present.length < threshold) {
    const names = all.keys.filter((key) => keyIds.includes(key.keyId)).map((key) => key.name);
    throw new UpbeatError("UPB-KEYS-NONE", {
      object: all.folder,
      detail: `${role} needs ${threshold} of ${names.join(", ") || "keys that were made elsewhere"}, found ${present.length}`,
    });
  }
  const passphrase = await passphraseFor(session, input, present);
  return present.map((record) => openKey(all, record, record.encrypted ? passphrase : undefined));
}

function readFirstRoot(folder: string): Uint8Array {
  const file = firstRootFile(folder);
  if (existsSync(file)) return readFileSync(file);
  throw new UpbeatError("UPB-KEYS-NONE", {
    object: file,
    detail: "`upbeat keys init` did not finish",
  });
}
