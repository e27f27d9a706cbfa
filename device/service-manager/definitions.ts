/** The services of a device: what they are, what they need and how the built-in host starts them. */
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServiceName, StartUpType } from "../../protocol/servicesApi.ts";
import type { DevicePaths } from "../paths.ts";

export interface ServiceDefinition {
  readonly name: ServiceName;
  readonly title: string;
  readonly description: string;
  readonly dependsOn: readonly ServiceName[];
  readonly startUp: StartUpType;
  /** Program and arguments; no shell. */
  readonly command: readonly [string, ...string[]];
  /** On top of the manager's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The service is ready when something answers here. */
  readonly socket: string;
}

/**
 * Keeps the update service small while it moves gigabytes, where most of what is thrown away is
 * buffers: a small nursery lets them go sooner, one arena keeps what the C library frees in use.
 * Measured with a patched file of 400 MB: 117 MB at the peak, 127 with more arenas; with neither 139
 * for a file of 200 MB.
 */
export const SMALL_MEMORY = {
  flags: ["--max-semi-space-size=1"],
  env: { MALLOC_ARENA_MAX: "1" },
} as const;

/** In the order in which they start. */
export function serviceDefinitions(paths: DevicePaths): ServiceDefinition[] {
  return [
    {
      name: "update-service",
      title: "Upbeat update service",
      description: "Verifies, downloads and installs updates, and undoes them.",
      dependsOn: [],
      startUp: "automatic",
      command: nodeProgram("../update-service/main", paths.root, SMALL_MEMORY.flags),
      env: SMALL_MEMORY.env,
      socket: paths.updateServiceSocket,
    },
    {
      name: "orchestrator",
      title: "Upbeat update orchestrator",
      description: "Checks for updates, decides what and when, and reports.",
      dependsOn: ["update-service"],
      startUp: "automatic",
      command: nodeProgram("../orchestrator/main", paths.root),
      socket: paths.orchestratorSocket,
    },
  ];
}

/** The same runtime that runs the manager: never the one of the machine that is being updated. */
function nodeProgram(
  program: string,
  root: string,
  flags: readonly string[] = [],
): [string, ...string[]] {
  const here = fileURLToPath(import.meta.url);
  // `.ts` in a checkout, `.js` in a built package.
  const file = join(here, "..", `${program}${extname(here)}`);
  return [process.execPath, ...flags, file, "--root", root];
}
