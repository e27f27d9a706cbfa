/**
 * The repository as a new device would verify it, read once for each snapshot: the preview decides
 * from exactly what devices see. Errors: those of a device (UPB-TRUST-*), UPB-SERVER-NO-REPOSITORY.
 */
import { type ReleaseSource, releaseSource } from "../../content/releaseSource.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { refresh } from "../../protocol/trust/client.ts";
import { targetPath } from "../publishing/checkTargets.ts";
import { type CurrentSet, rolePath } from "../publishing/currentSet.ts";
import { emptyStore } from "../publishing/proof.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";

export function currentReleases(
  files: RepositoryFiles,
  current: () => CurrentSet | undefined,
  now: () => number,
): () => Promise<ReleaseSource> {
  let known: { timestamp: number; source: Promise<ReleaseSource> } | undefined;
  const open = async (): Promise<ReleaseSource> => {
    const trustedRoot = present(files.read(rolePath("root", 1)), rolePath("root", 1));
    const source = { fetch: async (name: string) => files.read(`metadata/${name}`) };
    const trusted = await refresh({ trustedRoot, store: emptyStore(), source, now });
    return releaseSource(trusted, async (path, sha256) => {
      const target = targetPath(path, sha256);
      return present(files.read(target), target);
    });
  };
  return () => {
    const timestamp = current()?.timestamp.version;
    if (timestamp === undefined)
      throw new UpbeatError("UPB-SERVER-NO-REPOSITORY", { object: "a preview" });
    if (known?.timestamp === timestamp) return known.source;
    const source = open();
    known = { timestamp, source };
    // What failed is tried again by the next question.
    source.catch(() => {
      if (known?.source === source) known = undefined;
    });
    return source;
  };
}

function present(bytes: Uint8Array | undefined, object: string): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw new UpbeatError("UPB-SERVER-DAMAGED", { object });
}
