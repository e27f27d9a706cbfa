/**
 * Replacing a key, and signing again what would expire. The new key is on the disk before anything
 * names it; which keys count is only ever what the signed metadata says.
 *
 * Errors: UPB-KEYS-*, UPB-CLI-NOT-FOUND, UPB-TRUST-*, those of the server.
 */
import type { RepositoryUpdate } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Channel } from "../../protocol/ids.ts";
import type { RoleRule } from "../../protocol/trust/documents.ts";
import type { SigningKey } from "../../protocol/trust/sign.ts";
import { renewRoles, rotateChannels, rotateRoot } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import {
  loadChannelRoles,
  openPublisher,
  type Publisher,
  type PublisherInput,
} from "../publishing/publisher.ts";
import { keyFile, makeKeys } from "./keyFolder.ts";
import { newPassphrase } from "./passphrase.ts";

export interface Rotated {
  role: string;
  /** Name or id of the key that does not count any more. */
  out: string;
  in: string;
  file: string;
}

type RotateInput = PublisherInput & { role: string; passphrase: boolean; key?: string | undefined };

export async function rotateRole(session: Session, input: RotateInput): Promise<Rotated> {
  const { world, progress } = session;
  const publisher = await openPublisher(session, input);
  const { role } = input;
  const before = publisher.rulesOf(role);
  const old = keyToReplace(publisher, before, input.key);
  // Everything that must sign is opened before a new key is made: a wrong passphrase changes nothing.
  const oldSigners = await publisher.signers(role);
  const above =
    role === "root" ? [] : await publisher.signers(role === "targets" ? "root" : "targets");
  const passphrase = input.passphrase ? await newPassphrase(session, input) : undefined;
  const { all, made } = makeKeys(publisher.keys.folder, [role], passphrase, world.now());
  const [fresh] = made;
  if (fresh === undefined) throw new UpbeatError("UPB-INTERNAL-BUG", { object: "no key was made" });

  progress.show({ text: `Sign with ${fresh.record.name} instead of ${old.name}` });
  const rule: RoleRule = {
    threshold: before.threshold,
    keys: before.keys.map((hex) => (hex === old.publicHex ? fresh.key.publicHex : hex)),
  };
  const signers = [...oldSigners.filter((key) => key.publicHex !== old.publicHex), fresh.key];
  const change = { publisher, rule, oldSigners, signers, above, nowMs: world.now() };
  await publisher.submit(await rotation(role, change));
  await publisher.refresh();
  progress.end("done");
  return { role, out: old.name, in: fresh.record.name, file: keyFile(all.folder, fresh.record) };
}

/** The list of channels and the channels themselves, with 90 more days. */
export async function renewRepository(
  session: Session,
  input: PublisherInput,
): Promise<{ roles: string[] }> {
  const publisher = await openPublisher(session, input);
  const roles = new Map([["targets", await publisher.signers("targets")]]);
  for (const channel of publisher.channels()) {
    const keys = await publisher.signers(channel);
    for (const name of await loadChannelRoles(publisher, Channel.parse(channel))) {
      roles.set(name, keys);
    }
  }
  session.progress.show({ text: `Sign ${roles.size} roles again` });
  const { current } = publisher;
  await publisher.submit(renewRoles({ current, roles, nowMs: session.world.now() }));
  await publisher.refresh();
  session.progress.end("done");
  return { roles: [...roles.keys()] };
}

interface Change {
  publisher: Publisher;
  rule: RoleRule;
  oldSigners: readonly SigningKey[];
  signers: readonly SigningKey[];
  /** The keys of the role that delegates to this one. */
  above: readonly SigningKey[];
  nowMs: number;
}

async function rotation(role: string, change: Change): Promise<RepositoryUpdate> {
  const { publisher, rule, oldSigners, signers, above, nowMs } = change;
  const { current } = publisher;
  if (role === "root" || role === "targets") {
    const roles = { ...topLevelRules(publisher), [role]: rule };
    // A root is believed when a threshold of the old and one of the new keys signed it.
    const signWith = role === "root" ? distinct([...oldSigners, ...signers]) : above;
    const root = rotateRoot({ current, roles, signWith, nowMs });
    if (role === "root") return root;
    const renewed = renewRoles({ current, roles: new Map([["targets", signers]]), nowMs });
    return { ...renewed, ...(root.root === undefined ? {} : { root: root.root }) };
  }
  await loadChannelRoles(publisher, Channel.parse(role));
  const channels = Object.fromEntries(
    publisher.channels().map((name) => [name, name === role ? rule : publisher.rulesOf(name)]),
  );
  const resign = new Map([[role, signers]]);
  return rotateChannels({ current, channels, targetsKeys: above, resign, nowMs });
}

const topLevelRules = (publisher: Publisher) => ({
  root: publisher.rulesOf("root"),
  targets: publisher.rulesOf("targets"),
  snapshot: publisher.rulesOf("snapshot"),
  timestamp: publisher.rulesOf("timestamp"),
});

const distinct = (keys: readonly SigningKey[]): SigningKey[] => [
  ...new Map(keys.map((key) => [key.keyId, key])).values(),
];

/** The one that was named, or the one that was made first. */
function keyToReplace(
  { keys }: Publisher,
  rule: RoleRule,
  name: string | undefined,
): { name: string; publicHex: string } {
  const known = keys.keys.filter((key) => rule.keys.includes(key.publicHex));
  const named = name === undefined ? known[0] : known.find((key) => key.name === name);
  if (named !== undefined) return named;
  if (name === undefined && rule.keys[0] !== undefined) {
    // The key was made elsewhere: it has no name here.
    return { name: rule.keys[0], publicHex: rule.keys[0] };
  }
  throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `key ${name} among those in force` });
}
