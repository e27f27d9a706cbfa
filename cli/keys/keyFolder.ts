/**
 * The publisher's keys folder: private keys as PKCS#8 PEM files, encrypted unless told otherwise.
 *
 *   keys.json      public halves of every key that was made here, readable without a passphrase
 *   ROLE-N.pem     a private key; a file that is not here (it is kept offline) is simply not usable
 *   root.json      the first root metadata: what this publisher trusts
 *   trusted/       the metadata that was verified last
 *
 * Which keys are in force is never kept here: the signed root and targets metadata say so. A key
 * that was made and never got into them does no harm.
 * Errors: UPB-KEYS-*, UPB-CLI-FILE.
 */
import { createPrivateKey } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { newSigningKey, type SigningKey, signingKeyFromPem } from "../../protocol/trust/sign.ts";
import { writeSecretFile } from "../secretFile.ts";

const KeyRecord = z.strictObject({
  /** File name without suffix: `root-2`. */
  name: z.string().regex(/^[a-z][a-z0-9-]*-\d+$/),
  role: z.string(),
  keyId: z.string(),
  publicHex: z.string(),
  createdAt: z.iso.datetime(),
  encrypted: z.boolean(),
});
export type KeyRecord = z.infer<typeof KeyRecord>;
const KeyList = z.strictObject({ schema: z.literal("upbeat.keys/1"), keys: z.array(KeyRecord) });

export interface KeyFolder {
  readonly folder: string;
  readonly keys: readonly KeyRecord[];
}

/** Undefined when no key was ever made there. */
export function findKeyFolder(folder: string): KeyFolder | undefined {
  const file = listFile(folder);
  if (!existsSync(file)) return undefined;
  try {
    return { folder, keys: KeyList.parse(JSON.parse(readFileSync(file, "utf8"))).keys };
  } catch (cause) {
    throw new UpbeatError("UPB-KEYS-DAMAGED", { object: file, cause });
  }
}

export function openKeyFolder(folder: string): KeyFolder {
  const found = findKeyFolder(folder);
  if (found === undefined) throw new UpbeatError("UPB-KEYS-NONE", { object: folder });
  return found;
}

/** Makes a key for each role named and writes it before anything can be signed with it. */
export function makeKeys(
  folder: string,
  roles: readonly string[],
  passphrase: string | undefined,
  nowMs: number,
): { all: KeyFolder; made: { record: KeyRecord; key: SigningKey }[] } {
  const keys = [...(findKeyFolder(folder)?.keys ?? [])];
  const made = roles.map((role) => {
    const { key, privatePkcs8Pem } = newSigningKey();
    const number = Math.max(0, ...keys.filter((one) => one.role === role).map(numberOf)) + 1;
    const record: KeyRecord = {
      name: `${role}-${number}`,
      role,
      keyId: key.keyId,
      publicHex: key.publicHex,
      createdAt: new Date(nowMs).toISOString(),
      encrypted: passphrase !== undefined,
    };
    writeSecretFile(keyFile(folder, record), encrypt(privatePkcs8Pem, passphrase));
    keys.push(record);
    return { record, key };
  });
  const list: z.infer<typeof KeyList> = { schema: "upbeat.keys/1", keys };
  writeSecretFile(listFile(folder), `${JSON.stringify(list, undefined, 2)}\n`);
  return { all: { folder, keys }, made };
}

/** The keys of these ids whose files are here. */
export const presentKeys = (all: KeyFolder, keyIds: readonly string[]): KeyRecord[] =>
  all.keys.filter((key) => keyIds.includes(key.keyId) && existsSync(keyFile(all.folder, key)));

/** Opens one private key and makes sure that it is the one that the list promises. */
export function openKey(
  all: KeyFolder,
  record: KeyRecord,
  passphrase: string | undefined,
): SigningKey {
  const file = keyFile(all.folder, record);
  const pem = readPrivate(file);
  let key: SigningKey;
  try {
    const open = createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
    key = signingKeyFromPem(open.export({ type: "pkcs8", format: "pem" }).toString());
  } catch (cause) {
    const code = record.encrypted ? "UPB-KEYS-PASSPHRASE" : "UPB-KEYS-DAMAGED";
    throw new UpbeatError(code, { object: file, cause });
  }
  if (key.keyId !== record.keyId) {
    throw new UpbeatError("UPB-KEYS-DAMAGED", {
      object: file,
      detail: `expected key ${record.keyId}, found ${key.keyId}`,
    });
  }
  return key;
}

export const firstRootFile = (folder: string): string => join(folder, "root.json");
export const trustedFolder = (folder: string): string => join(folder, "trusted");
export const keyFile = (folder: string, key: KeyRecord): string => join(folder, `${key.name}.pem`);

const listFile = (folder: string): string => join(folder, "keys.json");
const numberOf = (key: KeyRecord): number => Number(key.name.slice(key.role.length + 1));

function readPrivate(file: string): string {
  let pem: string;
  let mode: number;
  try {
    pem = readFileSync(file, "utf8");
    mode = statSync(file).mode & 0o777;
  } catch (cause) {
    throw new UpbeatError("UPB-CLI-FILE", { object: file, cause });
  }
  if ((mode & 0o077) !== 0) {
    throw new UpbeatError("UPB-KEYS-OPEN", {
      object: file,
      detail: `its mode is ${mode.toString(8)}`,
    });
  }
  return pem;
}

/** PBES2 with AES-256, the strongest that PKCS#8 offers everywhere. */
function encrypt(pem: string, passphrase: string | undefined): string {
  if (passphrase === undefined) return pem;
  return createPrivateKey(pem)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
}
