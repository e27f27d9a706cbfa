/**
 * Browsers that are signed in to the admin console. All in memory: when the server ends, so does
 * every session. Only hashes are kept and compared, so that neither time nor a memory image tells.
 */
import { createHash, randomBytes } from "node:crypto";

/** A working day; a page that is open keeps its session alive. */
const IDLE_MS = 12 * 3_600_000;
/** Administrators have a handful of browsers; more is somebody who plays with the token. */
const MAX_SESSIONS = 1_000;

export interface ConsoleSessions {
  /** The secret for the cookie. */
  open(): string;
  /** Undefined: there is none of that secret, or nothing was done in it for too long. */
  find(secret: string | undefined): OpenSession | undefined;
  close(secret: string): void;
}

export interface OpenSession {
  /** Aborted when the session ends: whoever still answers it stops. */
  readonly ended: AbortSignal;
}

export function consoleSessions(now: () => number): ConsoleSessions {
  const open = new Map<string, { usedMs: number; ends: AbortController }>();
  const end = (hash: string): void => {
    open.get(hash)?.ends.abort();
    open.delete(hash);
  };
  const endOld = (): void => {
    for (const [hash, { usedMs }] of open) if (now() - usedMs >= IDLE_MS) end(hash);
  };
  return {
    open() {
      endOld();
      const [oldest] = open.keys();
      if (open.size >= MAX_SESSIONS && oldest !== undefined) end(oldest);
      const secret = randomBytes(32).toString("base64url");
      open.set(hashOf(secret), { usedMs: now(), ends: new AbortController() });
      return secret;
    },
    find(secret) {
      endOld();
      const session = secret === undefined ? undefined : open.get(hashOf(secret));
      if (session === undefined) return undefined;
      session.usedMs = now();
      return { ended: session.ends.signal };
    },
    close: (secret) => end(hashOf(secret)),
  };
}

const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
