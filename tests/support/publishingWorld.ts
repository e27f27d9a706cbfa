/**
 * Publishing with everything real but the signer's process, so that the clock can be turned and a
 * crash can be looked at between any two steps.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pino from "pino";
import { expect } from "vitest";
import type { RepositoryState, RepositoryUpdate } from "../../protocol/adminApi.ts";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import {
  type FileEntry,
  type PayloadRef,
  type TreeEntry,
  writePayload,
} from "../../protocol/payload.ts";
import { refresh } from "../../protocol/trust/client.ts";
import type { TufSet } from "../../protocol/trust/search.ts";
import { contentPath } from "../../server/contentUpload.ts";
import { openPublishing, type Publishing } from "../../server/publishing/publishing.ts";
import { repositoryFiles } from "../../server/repositoryFiles.ts";
import { openSigner } from "../../server/signer/signer.ts";
import type { SignerProcess } from "../../server/signerProcess.ts";
import { type Database, openDatabase } from "../../server/storage/database.ts";
import { memoryStore } from "./memoryStore.ts";
import { type TestPublisher, testPublisher } from "./testPublisher.ts";

type AskedSigner = Pick<SignerProcess, "keys" | "sign" | "signed" | "renew">;

export interface PublishingWorld {
  readonly folder: string;
  readonly data: string;
  readonly db: Database;
  /** Its clock is everybody's. */
  readonly publisher: TestPublisher;
  readonly publishing: Publishing;
  isSignerAway: boolean;
  /** Hears every step of `repositoryFiles`. */
  onStep: (name: string) => void;
  signerIn(data: string): AskedSigner;
  /** Another publishing process over a data folder. */
  open(data: string, db: Database, signer?: AskedSigner): Publishing;
  publish(update: RepositoryUpdate): Promise<RepositoryState>;
  addVersion(version: string): RepositoryUpdate;
  /** An entry whose content is there. */
  putContent(text: string): FileEntry;
  putObject(bytes: Uint8Array): Sha256;
  /** As a publisher does before it uploads. */
  ask(sha256: Sha256): void;
  /** Changes a byte of what is shown. */
  spoil(path: string): void;
  /** A list of files that is there. */
  putPayload(entries: readonly TreeEntry[]): PayloadRef;
  /** A new device, over the files as a static server would show them. */
  device(data?: string): Promise<TufSet>;
  has(version: string, data?: string): Promise<boolean>;
  /** SHA-256 by path of everything that is shown. */
  shown(data?: string): Record<string, string>;
  /** With that code, and nothing of it is shown. */
  expectRefusal(update: RepositoryUpdate, code: ErrorCode): Promise<void>;
  close(): Promise<void>;
}

export async function publishingWorld(): Promise<PublishingWorld> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-publishing-"));
  const data = join(folder, "data");
  mkdirSync(data);
  const db = await openDatabase(join(data, "server.db"));
  const { keys } = openSigner(join(data, "signer"), Date.now);
  const publisher = testPublisher(keys, Date.parse("2026-06-01T12:00:00Z"));
  const now = () => publisher.nowMs;
  const signerIn = (at: string): AskedSigner => {
    const signer = openSigner(join(at, "signer"), now);
    const answer = async <T>(work: () => T): Promise<T> => {
      if (world.isSignerAway) throw new UpbeatError("UPB-SERVER-SIGNER-AWAY", { object: "signer" });
      return work();
    };
    return {
      keys: () => answer(() => signer.keys),
      signed: () => answer(signer.signed),
      sign: (meta) => answer(() => signer.signSnapshot(meta)),
      renew: () => answer(signer.renew),
    };
  };
  const open = (at: string, database: Database, signer = signerIn(at)): Publishing => {
    const files = repositoryFiles(at, (name) => world.onStep(name));
    const log = pino({ level: "silent" });
    return openPublishing({ files, db: database, signer, asked, now, log });
  };
  let askedFor = new Set<string>();
  const asked = {
    has: (path: string) => askedFor.has(path),
    take() {
      const all = askedFor;
      askedFor = new Set();
      return all;
    },
  };
  const device = (at = data) => {
    const read = (name: string) => fileOrUndefined(join(at, "repo/metadata", name));
    return refresh({
      trustedRoot: read("1.root.json") ?? new Uint8Array(),
      store: memoryStore(),
      source: { fetch: async (name) => read(name) },
      now,
    });
  };
  const put = (name: string, content: Uint8Array | string): void => {
    const path = join(data, "repo", contentPath(name));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  const publishing = open(data, db);
  const world: PublishingWorld = {
    folder,
    data,
    db,
    publisher,
    publishing,
    isSignerAway: false,
    onStep: () => {},
    signerIn,
    open,
    async publish(update) {
      const state = await publishing.publish(update);
      publisher.taken(update);
      return state;
    },
    addVersion: (version) => publisher.add(publisher.manifest({ version })),
    putContent(text) {
      const entry = fileEntry(text);
      put(entry.sha256, text);
      return entry;
    },
    putObject(bytes) {
      const name = sha256(bytes);
      put(name, bytes);
      return name;
    },
    spoil(path) {
      const bytes = readFileSync(join(data, "repo", path));
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
      writeFileSync(join(data, "repo", path), bytes);
    },
    ask: (name) => void askedFor.add(contentPath(name)),
    putPayload(entries) {
      const { bytes, ref } = writePayload(entries);
      put(ref.sha256, bytes);
      return ref;
    },
    device,
    has: async (version, at) =>
      (await (await device(at)).findTarget(`stable/kiosk/${version}.json`)) !== undefined,
    shown: (at = data) => hashesBelow(join(at, "repo")),
    async expectRefusal(update, code) {
      const before = world.shown();
      await expect(publishing.publish(update)).rejects.toMatchObject({ code });
      expect(world.shown()).toEqual(before);
    },
    async close() {
      await db.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

const sha256 = (bytes: Uint8Array | string): Sha256 =>
  Sha256.parse(createHash("sha256").update(bytes).digest("hex"));

const fileEntry = (text: string): FileEntry => ({
  type: "file",
  path: "app",
  sizeBytes: text.length,
  mode: 0o644,
  sha256: sha256(text),
});

function fileOrUndefined(path: string): Uint8Array | undefined {
  return statSync(path, { throwIfNoEntry: false }) && readFileSync(path);
}

const hashesBelow = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  );
