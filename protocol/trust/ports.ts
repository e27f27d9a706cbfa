/**
 * What the TUF client core needs from outside, and what it gives back. No I/O in `protocol/trust`:
 * the caller brings the bytes, the disk and the clock.
 *
 * The workflow is that of the TUF specification 1.0.x, section 5 ("Detailed client workflow").
 */
import type { Sha256 } from "../ids.ts";
import type { TopLevelRole } from "./roleNames.ts";

/** Where metadata comes from. `name` is e.g. `2.root.json`, already percent-encoded. */
export interface MetadataSource {
  /**
   * At most `maxBytes` bytes of the file, or undefined when the server says there is none (404).
   * Throws UpbeatError for everything else; never returns more than `maxBytes`.
   */
  fetch(name: string, maxBytes: number): Promise<Uint8Array | undefined>;
}

/**
 * Where verified metadata is kept: atomic and durable writes (`content/metadataStore.ts`).
 * A file that cannot be read whole counts as absent; marks are a file apart from the cache.
 */
export interface MetadataStore {
  /** `name` is a role name: `root`, `timestamp`, `stable`; the store encodes it for the disk. */
  read(role: string): Uint8Array | undefined;
  write(role: string, bytes: Uint8Array): void;
  remove(role: string): void;
  /**
   * Every root between the shipped one and the newest: the chain of trust is walked again at each
   * start, so that a root in the cache is never believed for lying there.
   */
  readRoot(version: number): Uint8Array | undefined;
  writeRoot(version: number, bytes: Uint8Array): void;
  readMarks(): Marks | undefined;
  writeMarks(marks: Marks): void;
}

/**
 * High-water marks: what was accepted once. They outlive the cache, so that losing or truncating
 * it cannot bring an old version back. Bound to the role's keys, so that a key rotation recovers
 * from a fast-forward attack (specification 5.3.11).
 */
export interface Marks {
  /** Per role: highest accepted version, and SHA-256 over the role's key ids and threshold. */
  readonly roles: Readonly<Record<string, { version: number; keys: string }>>;
  /** No clock before this is believed, milliseconds since 1970. */
  readonly timeFloorMs: number;
}

export interface TrustOptions {
  /** The root shipped with the program, never one that came over the network. */
  readonly trustedRoot: Uint8Array;
  readonly store: MetadataStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A target that a chain of signatures from the trusted root vouches for. */
export interface VerifiedTarget {
  readonly path: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** The role that signed it, e.g. `stable`. */
  readonly role: string;
}

/** One consistent, verified set of metadata. */
export interface TrustedMetadata {
  /** Of the four top-level roles. */
  readonly versions: Readonly<Record<TopLevelRole, number>>;
  /** When each of them expires, milliseconds since 1970. */
  readonly expires: Readonly<Record<TopLevelRole, number>>;
  /** When the first of the top-level roles expires, milliseconds since 1970. */
  readonly expiresMs: number;
  /**
   * Walks the delegations in preorder (specification 5.6.7), loading roles as needed.
   * Undefined: no role vouches for that path.
   */
  findTarget(path: string): Promise<VerifiedTarget | undefined>;
}
