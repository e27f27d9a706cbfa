/**
 * Metadata and targets out of one bundle, as far as it has them, and from the plain source otherwise.
 *
 * `metadata/after-N.bundle` holds what has changed since snapshot N; `after-0` is for a machine that
 * has nothing. A bundle is nothing but a cheaper way to the same bytes: what comes out of it is
 * verified as if it had come alone, and when anything about it is wrong it is as if there were none.
 */
import { createHash } from "node:crypto";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { MetadataSource, MetadataStore } from "../../protocol/trust/ports.ts";
import { metadataFileName } from "../../protocol/trust/roleNames.ts";
import { parseRoot, parseSnapshot } from "../../protocol/trust/schema.ts";
import type { TargetReader } from "../releases.ts";
import { aboveOf, basesOf, NOTHING, type OldSet } from "./bases.ts";
import { BUNDLE_MAX_BYTES, readContainer, splitFiles, unpackGroup } from "./container.ts";

export interface BundledSource {
  readonly metadata: MetadataSource;
  readonly target: TargetReader;
  /** Anything in it by its hash; undefined: it is not there. */
  object(sha256: string): Uint8Array | undefined;
  /** Whatever is asked for from now on comes from the plain source. False: so it did before. */
  giveUp(): boolean;
}

export interface BundleInput {
  readonly trustedRoot: Uint8Array;
  readonly store: Pick<MetadataStore, "read" | "readRoot">;
  readonly metadata: MetadataSource;
  readonly target: TargetReader;
  /** An index or a policy that was read before. */
  readonly kept: (path: string, sha256: string) => Uint8Array | undefined;
}

export const bundleName = (since: number): string => `after-${since}.bundle`;

interface Opened {
  /** That there is none is known too: the bundle is of a moment when this was the newest. */
  readonly rootVersion: number;
  readonly byName: ReadonlyMap<string, Uint8Array>;
  readonly byHash: ReadonlyMap<string, Uint8Array>;
}

export function bundledSource(input: BundleInput): BundledSource {
  let opening: Promise<Opened | undefined> | undefined;
  let opened: Opened | undefined;
  const open = async (): Promise<Opened | undefined> => {
    opening ??= openBundle(input).then((found) => {
      opened = found;
      return found;
    });
    await opening;
    return opened;
  };
  const within = (bytes: Uint8Array | undefined, maxBytes: number) =>
    bytes !== undefined && bytes.length <= maxBytes ? bytes : undefined;
  return {
    metadata: {
      fetch: async (name, maxBytes) => {
        const bundle = await open();
        const found = within(bundle?.byName.get(name), maxBytes);
        if (found !== undefined) return found;
        if (bundle && name === metadataFileName("root", bundle.rootVersion + 1, true))
          return undefined;
        return input.metadata.fetch(name, maxBytes);
      },
    },
    async target(path, sha256, maxBytes) {
      const found = within(opened?.byHash.get(sha256), maxBytes);
      return found ?? input.target(path, sha256, maxBytes);
    },
    object: (sha256) => opened?.byHash.get(sha256),
    giveUp() {
      const had = opened !== undefined;
      opened = undefined;
      opening ??= Promise.resolve(undefined);
      return had;
    },
  };
}

/**
 * What `use` makes of it; once more without the bundle when it fails with one, because a bundle may
 * be wrong, or of a moment that has passed.
 */
export async function firstFromBundle<Result>(
  source: BundledSource,
  use: (source: BundledSource) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(source);
  } catch (error) {
    if (!(error instanceof UpbeatError) || !source.giveUp()) throw error;
    return use(source);
  }
}

async function openBundle(input: BundleInput): Promise<Opened | undefined> {
  const old = oldSetOf(input);
  const since = old.snapshot?.signed.version ?? 0;
  const tries = since === 0 ? [NOTHING] : [old, NOTHING];
  for (const set of tries) {
    const name = bundleName(set.snapshot?.signed.version ?? 0);
    // What keeps it from coming keeps the plain files from coming too, and is told then.
    const bytes = await input.metadata.fetch(name, BUNDLE_MAX_BYTES).catch(() => undefined);
    const bundle = bytes && readBundle(bytes, input, set);
    if (bundle !== undefined) return bundle;
  }
  return undefined;
}

/** Undefined: it cannot be read, or not with what is here. */
function readBundle(bytes: Uint8Array, input: BundleInput, set: OldSet): Opened | undefined {
  try {
    const { rootVersion, groups } = readContainer(bytes);
    const root = ownRoot(input, rootVersion);
    if (root === undefined) return undefined;
    const raws = new Map<string, Uint8Array>();
    const byName = new Map<string, Uint8Array>();
    const byHash = new Map<string, Uint8Array>();
    for (const group of groups) {
      const above = aboveOf(group.name, root, raws);
      const bases = basesOf(group.name, set);
      if (above === undefined || bases === undefined) continue;
      const raw = unpackGroup(group, Buffer.concat([above, ...bases]));
      raws.set(group.name, raw);
      for (const file of splitFiles(raw)) {
        if (file.name === "") byHash.set(hashOf(file.bytes), file.bytes);
        else byName.set(file.name, file.bytes);
      }
    }
    return raws.size === 0 ? undefined : { rootVersion, byName, byHash };
  } catch (error) {
    if (error instanceof UpbeatError) return undefined;
    throw error;
  }
}

/** Undefined: this machine is not at that root yet, and must follow the chain of roots. */
function ownRoot({ trustedRoot, store }: BundleInput, version: number): Uint8Array | undefined {
  if (store.readRoot(version + 1) !== undefined) return undefined;
  if (parseRoot(trustedRoot).signed.version === version) return trustedRoot;
  return store.readRoot(version);
}

/** What is kept here. Whether it is what it says matters only for whether a bundle can be read. */
function oldSetOf({ store, kept }: BundleInput): OldSet {
  const bytes = store.read("snapshot");
  if (bytes === undefined) return NOTHING;
  try {
    const signed = parseSnapshot(bytes).signed;
    return { snapshot: { bytes, signed }, role: (name) => store.read(name), target: kept };
  } catch (error) {
    if (error instanceof UpbeatError) return NOTHING;
    throw error;
  }
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
