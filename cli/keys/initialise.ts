/**
 * The first keys and the first signed repository. May be interrupted at any point and repeated:
 * keys come first, so a second run finds and uses them, and refuses once a repository stands.
 *
 * Errors: UPB-KEYS-*, those of the server.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { httpMetadataSource } from "../../content/metadataSource.ts";
import { metadataStore } from "../../content/metadataStore.ts";
import { RepositoryState, SignerKeys } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { SigningKey } from "../../protocol/trust/sign.ts";
import { firstRepository } from "../../protocol/trust/writer.ts";
import type { Session } from "../command.ts";
import { writeSecretFile } from "../secretFile.ts";
import { type ServerClient, serverClient } from "../serverClient.ts";
import { type ServerSettings, serverSettings } from "../settings.ts";
import {
  findKeyFolder,
  firstRootFile,
  type KeyFolder,
  makeKeys,
  openKey,
  trustedFolder,
} from "./keyFolder.ts";
import { newPassphrase, passphraseFor } from "./passphrase.ts";
import { keysFolder } from "./where.ts";

/** Root is 2 of 3, so that one lost or stolen key neither locks nor opens anything. */
const ROOT_KEYS = 3;
const ROOT_THRESHOLD = 2;
const CHANNELS = ["stable", "beta"] as const;
const FIRST_ROLES = [...Array<string>(ROOT_KEYS).fill("root"), "targets", ...CHANNELS];

export interface InitInput {
  server?: string | undefined;
  tokenFile?: string | undefined;
  keys?: string | undefined;
  passphraseFile?: string | undefined;
  passphrase: boolean;
}

export interface Initialised {
  settings: ServerSettings;
  keys: KeyFolder;
  rootSha256: string;
  versions: RepositoryState["versions"];
}

export async function initialise(session: Session, input: InitInput): Promise<Initialised> {
  const { world, progress } = session;
  const settings = serverSettings(world, input);
  const folder = keysFolder(world, input);
  if (existsSync(firstRootFile(folder)))
    throw new UpbeatError("UPB-KEYS-EXIST", { object: folder });
  const client = serverClient(settings, world.interrupted);
  const online = await emptyRepository(client);
  const { keys, byRole } = await firstKeys(session, input, folder);

  progress.show({ text: "Sign the first repository" });
  const channels = Object.fromEntries(CHANNELS.map((name) => [name, byRole(name)]));
  const first = firstRepository({
    root: byRole("root"),
    rootThreshold: ROOT_THRESHOLD,
    targets: byRole("targets"),
    targetsThreshold: 1,
    channels,
    online,
    nowMs: world.now(),
  });
  if (first.root === undefined)
    throw new UpbeatError("UPB-INTERNAL-BUG", { object: "no first root" });
  const root = Buffer.from(first.root, "base64");
  await client.post("api/v1/repository", first, RepositoryState);
  // Only after the server accepted it: without this file the next run starts again.
  writeSecretFile(firstRootFile(folder), root);
  const trusted = await refresh({
    trustedRoot: root,
    store: metadataStore(trustedFolder(folder)),
    source: httpMetadataSource(settings.url),
    now: world.now,
  });
  progress.end("done");
  const rootSha256 = createHash("sha256").update(root).digest("hex");
  return { settings, keys, rootSha256, versions: trusted.versions };
}

async function emptyRepository(client: ServerClient): Promise<SignerKeys> {
  const { versions } = await client.get("api/v1/repository", RepositoryState);
  if (Object.keys(versions).length > 0) {
    throw new UpbeatError("UPB-KEYS-EXIST", {
      object: client.url.href,
      detail: "the server has a signed repository, made with other keys",
    });
  }
  return client.get("api/v1/signer", SignerKeys);
}

async function firstKeys(session: Session, input: InitInput, folder: string) {
  const { progress, world } = session;
  const before = findKeyFolder(folder);
  if (before !== undefined) {
    const passphrase = await passphraseFor(session, input, before.keys);
    const opened = before.keys.map((record) => ({
      record,
      key: openKey(before, record, passphrase),
    }));
    return { keys: before, byRole: pick(opened) };
  }
  const passphrase = input.passphrase ? await newPassphrase(session, input) : undefined;
  progress.show({ text: `Make ${FIRST_ROLES.length} signing keys` });
  const { all, made } = makeKeys(folder, FIRST_ROLES, passphrase, world.now());
  progress.end("done");
  return { keys: all, byRole: pick(made) };
}

const pick =
  (opened: readonly { record: { role: string }; key: SigningKey }[]) =>
  (role: string): SigningKey[] =>
    opened.filter(({ record }) => record.role === role).map(({ key }) => key);
