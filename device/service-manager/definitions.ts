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
  /** The service is ready when something answers here. */
  readonly socket: string;
}

/** In the order in which they start. */
export function serviceDefinitions(paths: DevicePaths): ServiceDefinition[] {
  return [
    {
      name: "update-service",
      title: "Upbeat update service",
      description: "Verifies, downloads and installs updates, and undoes them.",
      dependsOn: [],
      startUp: "automatic",
      command: nodeProgram("../update-service/main", paths.root),
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
function nodeProgram(program: string, root: string): [string, ...string[]] {
  const here = fileURLToPath(import.meta.url);
  // `.ts` in a checkout, `.js` in a built package.
  const file = join(here, "..", `${program}${extname(here)}`);
  return [process.execPath, file, "--root", root];
}
