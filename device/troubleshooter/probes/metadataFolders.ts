/** Where both services keep signed metadata: the orchestrator one folder for each server. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { DevicePaths } from "../../paths.ts";

export function metadataFolders(paths: DevicePaths): { service: string; folder: string }[] {
  const servers = join(paths.orchestratorState, "server");
  return [
    { service: "update-service", folder: join(paths.updateServiceState, "metadata") },
    ...namesIn(servers).map((name) => ({
      service: "orchestrator",
      folder: join(servers, name, "metadata"),
    })),
  ];
}

/** None: it is not there, or may not be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
