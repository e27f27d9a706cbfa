/** Who may sign what, until when, and with which of the keys that are here. All of it verified. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { Channel } from "../../protocol/ids.ts";
import { TOP_LEVEL_ROLES } from "../../protocol/trust/roleNames.ts";
import {
  keyRing,
  parseRoot,
  parseSnapshot,
  parseTargets,
  parseTimestamp,
} from "../../protocol/trust/schema.ts";
import type { Session } from "../command.ts";
import { loadChannel, openPublisher, type PublisherInput } from "../publishing/publisher.ts";
import { firstRootFile, type KeyFolder, keyFile } from "./keyFolder.ts";

export interface RoleReport {
  role: string;
  version: number;
  threshold: number;
  expiresMs: number;
  signedBy: "you" | "server";
  keys: { keyId: string; name?: string; present: boolean }[];
}
export interface KeysReport {
  folder: string;
  rootSha256: string;
  roles: RoleReport[];
}

const PARSERS = {
  root: parseRoot,
  targets: (bytes: Uint8Array) => parseTargets(bytes, "targets"),
  snapshot: parseSnapshot,
  timestamp: parseTimestamp,
};

export async function describeKeys(session: Session, input: PublisherInput): Promise<KeysReport> {
  const publisher = await openPublisher(session, input);
  const { keys, current } = publisher;
  const bytesOf = (role: string) => current(role) ?? new Uint8Array();
  const root = parseRoot(bytesOf("root")).signed;
  const top = TOP_LEVEL_ROLES.map((role): RoleReport => {
    const { version, expiresMs } = PARSERS[role](bytesOf(role)).signed;
    const { keyIds, threshold } = keyRing(root, role).role;
    const signedBy = role === "root" || role === "targets" ? "you" : "server";
    return { role, version, threshold, expiresMs, signedBy, keys: keyIds.map(knownKey(keys)) };
  });
  const delegated = parseTargets(bytesOf("targets"), "targets").signed.delegations?.roles ?? [];
  const channels: RoleReport[] = [];
  for (const { name, keyIds, threshold } of delegated) {
    await loadChannel(publisher, Channel.parse(name));
    const { version, expiresMs } = parseTargets(bytesOf(name), name).signed;
    channels.push({
      role: name,
      version,
      threshold,
      expiresMs,
      signedBy: "you",
      keys: keyIds.map(knownKey(keys)),
    });
  }
  const firstRoot = readFileSync(firstRootFile(keys.folder));
  return {
    folder: keys.folder,
    rootSha256: createHash("sha256").update(firstRoot).digest("hex"),
    roles: [...top, ...channels],
  };
}

const knownKey = (all: KeyFolder) => (keyId: string) => {
  const record = all.keys.find((key) => key.keyId === keyId);
  if (record === undefined) return { keyId, present: false };
  return { keyId, name: record.name, present: existsSync(keyFile(all.folder, record)) };
};
