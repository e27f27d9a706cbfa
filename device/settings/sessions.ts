/**
 * One-time links and the sessions that they open. All in memory: when the process ends, so does
 * every session. Only hashes are kept and compared, so that neither time nor a memory image tells.
 */
import { createHash, randomBytes } from "node:crypto";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Access } from "../../protocol/settingsPageApi.ts";

/** Long enough to copy a link by hand to the browser of the same machine. */
export const LINK_LIFE_MS = 2 * 60_000;
/** A working day; a page that is open keeps its session alive. */
const SESSION_IDLE_MS = 12 * 3_600_000;
/** 256 bits: nobody guesses one. */
const SECRET_BYTES = 32;

export interface OpenedSession {
  readonly access: Access;
  /** For the cookie. */
  readonly id: string;
  /** For the header. */
  readonly key: string;
}

export interface Sessions {
  newLink(access: Access): { token: string; expiresMs: number };
  /** Uses up the link. Errors: UPB-PAGE-LINK. */
  open(token: string): OpenedSession;
  /** Both halves must be of the same session. Errors: UPB-PAGE-NO-SESSION. */
  find(id: string | undefined, key: string | undefined): { access: Access };
}

export function sessions(now: () => number): Sessions {
  const links = new Map<string, { access: Access; expiresMs: number }>();
  const open = new Map<string, { access: Access; keyHash: string; usedMs: number }>();
  return {
    newLink(access) {
      for (const [hash, link] of links) if (link.expiresMs <= now()) links.delete(hash);
      const token = secret();
      const expiresMs = now() + LINK_LIFE_MS;
      links.set(hashOf(token), { access, expiresMs });
      return { token, expiresMs };
    },
    open(token) {
      const hash = hashOf(token);
      const link = links.get(hash);
      links.delete(hash);
      if (link === undefined || link.expiresMs <= now()) {
        throw new UpbeatError("UPB-PAGE-LINK", { object: "the link" });
      }
      const [id, key] = [secret(), secret()];
      open.set(hashOf(id), { access: link.access, keyHash: hashOf(key), usedMs: now() });
      return { access: link.access, id, key };
    },
    find(id = "", key = "") {
      const session = open.get(hashOf(id));
      const fresh = session !== undefined && now() - session.usedMs < SESSION_IDLE_MS;
      if (!fresh || session.keyHash !== hashOf(key)) {
        throw new UpbeatError("UPB-PAGE-NO-SESSION", { object: "this browser" });
      }
      session.usedMs = now();
      return { access: session.access };
    },
  };
}

const secret = (): string => randomBytes(SECRET_BYTES).toString("base64url");
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
