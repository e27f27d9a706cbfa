/**
 * Publishes: checks all, has snapshot and timestamp signed, proves the set, shows it at once. One
 * publish at a time.
 *
 * What a crash or an unanswered signer leaves behind is settled before anything else: a set that the
 * signer has signed is shown, because the signer will never sign less again; any other is dropped.
 */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import type { RepositoryState, RepositoryUpdate, UpdateStorage } from "../../protocol/adminApi.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Product, Sha256, Version } from "../../protocol/ids.ts";
import { isoTime } from "../../protocol/trust/verify.ts";
import type { Asked } from "../contentUpload.ts";
import type { FileSet, RepositoryFiles } from "../repositoryFiles.ts";
import type { SnapshotMeta } from "../signer/rules.ts";
import type { SignedBytes, SignerProcess } from "../signerProcess.ts";
import type { Database } from "../storage/database.ts";
import { recordUpdates } from "../storage/updates.ts";
import { bundles } from "./bundles.ts";
import { checkMetadata } from "./checkMetadata.ts";
import { checkStored } from "./checkStored.ts";
import { checkTargets } from "./checkTargets.ts";
import { type Collected, collect } from "./collection.ts";
import {
  type CurrentSet,
  readCurrentSet,
  readTargets,
  rolePath,
  sha256Of,
  snapshotMetaOf,
  TIMESTAMP_PATH,
} from "./currentSet.ts";
import { neededFiles } from "./neededFiles.ts";
import { proveSet } from "./proof.ts";
import { updateStorage } from "./updateStorage.ts";

export interface Publishing {
  /** Errors: those of the three checks, UPB-SERVER-SIGNER-AWAY, UPB-SIGNER-REFUSED. */
  publish(update: RepositoryUpdate): Promise<RepositoryState>;
  /** Signs the timestamp again when it is more than an hour old; the snapshot as the signer's rules say. */
  renewIfDue(): Promise<boolean>;
  /** Removes what nothing shown needs any more and has not for a week. */
  collect(): Promise<Collected>;
  /** What lies here for an update, in each channel that offers it. */
  storage(product: Product, version: Version): UpdateStorage[];
  /** Undefined: nothing was published yet. */
  current(): CurrentSet | undefined;
  state(): RepositoryState;
  /** SHA-256 of the first root: the fingerprint in enrolment tokens. */
  rootSha256(): Sha256 | undefined;
}

const HOUR_MS = 60 * 60 * 1000;
/** Timestamps live a day (`LIFE_MS`); with this much left they are an hour old. */
const FRESH_MS = 23 * HOUR_MS;

export function openPublishing(deps: {
  files: RepositoryFiles;
  db: Database;
  signer: Pick<SignerProcess, "keys" | "sign" | "signed" | "renew">;
  /** What publishers have asked for. */
  asked: Asked;
  now: () => number;
  log: Pick<Logger, "info" | "error">;
}): Publishing {
  const { files, db, signer, asked, now, log } = deps;
  files.finish();
  let current = readCurrentSet(files);
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };

  const { write: writeBundles } = bundles(files);
  let bundled: number | undefined;
  /** After the set itself: whoever comes in between fetches it file by file. */
  const bundle = async (): Promise<void> => {
    if (current === undefined || current.timestamp.version === bundled) return;
    try {
      await writeBundles(current);
      bundled = current.timestamp.version;
    } catch (error) {
      log.error({ err: error }, "the bundles could not be written; machines fetch file by file");
    }
  };

  const showStaged = async (signed: SignedBytes, paths: readonly string[]): Promise<void> => {
    const last: FileSet = [
      [rolePath("snapshot", signed.snapshotVersion), signed.snapshot],
      [TIMESTAMP_PATH, signed.timestamp],
    ];
    const staged = files.staged();
    const added = new Map(last);
    const read = (path: string) => added.get(path) ?? staged?.read(path) ?? files.read(path);
    await proveSet({ read, paths, now });
    files.show(last);
    current = readCurrentSet(files);
  };

  const settle = async (): Promise<void> => {
    files.finish();
    const staged = files.staged();
    if (staged !== undefined) {
      if (isDeepStrictEqual(await signer.signed(), staged.meta)) {
        log.info("an interrupted publish is completed");
        await showStaged(await signer.sign(staged.meta), []);
      } else files.dropStaged();
    }
    current = readCurrentSet(files);
  };

  const signed = async (meta: SnapshotMeta): Promise<SignedBytes> => {
    try {
      return await signer.sign(meta);
    } catch (error) {
      // It has answered, so it has not signed. Without an answer nobody knows yet: see `settle`.
      const isRefusal = error instanceof UpbeatError && error.code !== "UPB-SERVER-SIGNER-AWAY";
      if (isRefusal) files.dropStaged();
      throw error;
    }
  };

  const publish = async (update: RepositoryUpdate): Promise<RepositoryState> => {
    await settle();
    if (update.root === undefined && Object.keys(update.roles).length === 0) return state();
    const signerKeys = await signer.keys();
    const next = checkMetadata({ files, current, update, signerKeys, nowMs: now() });
    const targets = checkTargets(files, current, next, update);
    for (const stored of targets.stored) await checkStored(files, stored);
    const meta = snapshotMetaOf(next.meta);
    const roles = [...next.changed].map(
      ([role, { bytes, content }]) => [rolePath(role, content.version), bytes] as const,
    );
    const root = next.rootBytes && ([rolePath("root", next.root.version), next.rootBytes] as const);
    files.stage([...targets.files, ...roles, ...(root ? [root] : [])], meta);
    await showStaged(await signed(meta), targets.paths);
    const { published, retired } = targets;
    log.info(
      { roles: [...next.changed.keys()], published: published.length },
      "a new set is shown",
    );
    // The list is made again from the signed metadata at the next start.
    await recordUpdates(db, published, retired).catch((error: unknown) =>
      log.error({ err: error }, "what was published could not be listed"),
    );
    return state();
  };

  const renew = async (): Promise<boolean> => {
    await settle();
    if (current === undefined || current.timestamp.expiresMs - now() > FRESH_MS) return false;
    const { snapshotVersion, snapshot, timestamp } = await signer.renew();
    const renewed: FileSet = [
      [rolePath("snapshot", snapshotVersion), snapshot],
      [TIMESTAMP_PATH, timestamp],
    ];
    const added = new Map(renewed);
    await proveSet({ read: (path) => added.get(path) ?? files.read(path), paths: [], now });
    files.replace(renewed);
    current = readCurrentSet(files);
    return true;
  };

  const collectFiles = async (): Promise<Collected> => {
    await settle();
    if (current === undefined) return { files: 0, sizeBytes: 0 };
    return collect({ files, db, asked, needed: neededFiles(files, current), nowMs: now() });
  };

  const rootSha256 = (): Sha256 | undefined => {
    const bytes = current && files.read(rolePath("root", 1));
    return bytes && sha256Of(bytes);
  };
  const state = (): RepositoryState => {
    if (current === undefined) return { versions: {}, expires: {} };
    const fingerprint = rootSha256();
    return {
      versions: {
        ...Object.fromEntries([...current.meta].map(([role, { version }]) => [role, version])),
        root: current.root.version,
        snapshot: current.snapshot.version,
        timestamp: current.timestamp.version,
      },
      expires: expiresOf(files, current),
      ...(fingerprint === undefined ? {} : { rootSha256: fingerprint }),
    };
  };
  return {
    publish: (update) => inTurn(() => publish(update).finally(bundle)),
    renewIfDue: () => inTurn(() => renew().finally(bundle)),
    collect: () => inTurn(collectFiles),
    storage: (product, version) =>
      current === undefined ? [] : updateStorage(files, current, product, version),
    current: () => current,
    state,
    rootSha256,
  };
}

/** Of the top-level roles and the channels; hash bins are signed together with their channel. */
function expiresOf(files: RepositoryFiles, current: CurrentSet): Record<string, string> {
  const targets = readTargets(files, current, "targets");
  const channels = targets.delegations?.roles.map((role) => role.name) ?? [];
  return Object.fromEntries(
    [
      ["root", current.root.expiresMs] as const,
      ["snapshot", current.snapshot.expiresMs] as const,
      ["timestamp", current.timestamp.expiresMs] as const,
      ["targets", targets.expiresMs] as const,
      ...channels.map((name) => [name, readTargets(files, current, name).expiresMs] as const),
    ].map(([role, ms]) => [role, isoTime(ms)]),
  );
}
