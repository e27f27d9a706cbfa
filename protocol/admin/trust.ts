/** Who may sign what, and until when it counts. Public halves of keys only. */
import { z } from "zod";

/** One signing role as it stands. */
export const RoleSigners = z.object({
  /** root, targets, snapshot, timestamp, or a channel. */
  role: z.string(),
  /** How many of the keys must sign. */
  threshold: z.int().positive(),
  keys: z.array(z.object({ keyId: z.string(), signed: z.boolean() })),
  version: z.int().positive(),
  expiresMs: z.int(),
  /** The server's own signer signs it again by itself; a person need not. */
  online: z.boolean(),
});
export type RoleSigners = z.infer<typeof RoleSigners>;

export const TrustState = z.object({
  /** Absent: there is no repository yet. */
  rootSha256: z.string().optional(),
  /** In the order of trust: root, targets, channels, snapshot, timestamp. */
  roles: z.array(RoleSigners),
});
export type TrustState = z.infer<typeof TrustState>;
