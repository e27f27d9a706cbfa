/** The start-up type of every service, kept in `services.json` and durable before it counts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../../content/durableFile.ts";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { type ServiceName, StartUpType } from "../../protocol/servicesApi.ts";
import type { ServiceDefinition } from "./definitions.ts";

const Stored = z.object({ startUp: z.record(z.string(), StartUpType) });

export interface StartUpTypes {
  of(name: ServiceName): StartUpType;
  set(name: ServiceName, type: StartUpType): void;
}

/** Errors of `set`: UPB-SERVICE-STATE-FOLDER. */
export function startUpTypes(
  folder: string,
  definitions: readonly ServiceDefinition[],
): StartUpTypes {
  const file = join(folder, "services.json");
  const types = new Map(definitions.map((it) => [it.name, stored(file)[it.name] ?? it.startUp]));
  return {
    of: (name) => types.get(name) ?? "manual",
    set(name, type) {
      if (types.get(name) === type) return;
      const startUp = { ...Object.fromEntries(types), [name]: type };
      try {
        writeDurably(file, `${JSON.stringify({ startUp }, undefined, 2)}\n`, 0o644);
      } catch (cause) {
        throw new UpbeatError("UPB-SERVICE-STATE-FOLDER", { object: file, cause });
      }
      types.set(name, type);
    },
  };
}

function stored(file: string): Record<string, StartUpType> {
  try {
    return Stored.parse(JSON.parse(readFileSync(file, "utf8"))).startUp;
  } catch {
    // Absent on the first run. A damaged file must not keep the services from starting: the
    // defaults are the safe choice, and setting a type writes the file anew.
    return {};
  }
}
