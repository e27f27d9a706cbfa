/**
 * The highest revision of each channel's policy that this machine has read, kept over restarts: an
 * older one, or none any more, is not followed even when the right key has signed it, because it may
 * lack a hold (`revision` in protocol/offerPolicy.ts). The signed versions of the metadata already
 * keep a server from showing less; this keeps a mistake with the key from doing it.
 *
 * Errors: UPB-POLICY-OLD.
 */
import { z } from "zod";
import type { ReleaseSource } from "../../content/releaseSource.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { policyPath } from "../../protocol/ids.ts";
import type { OrchestratorDatabase } from "./database.ts";

const Marks = z.object({
  /** Another server or another root starts anew. */
  source: z.string(),
  revisions: z.record(z.string(), z.int()),
});

export function neverOlder(
  releases: ReleaseSource,
  database: OrchestratorDatabase,
  source: string,
): ReleaseSource {
  const recall = (): z.infer<typeof Marks> => {
    const marks = database.recall("policyRevisions", Marks);
    return marks?.source === source ? marks : { source, revisions: {} };
  };
  return {
    ...releases,
    async policy(channel) {
      const policy = await releases.policy(channel);
      const { revisions } = recall();
      const known = revisions[channel] ?? 0;
      const found = policy?.revision ?? 0;
      if (found < known) {
        const detail = `expected revision ${known} or later, found ${policy ? found : "none"}`;
        throw new UpbeatError("UPB-POLICY-OLD", { object: policyPath(channel), detail });
      }
      if (found > known)
        database.remember("policyRevisions", {
          source,
          revisions: { ...revisions, [channel]: found },
        });
      return policy;
    },
  };
}
