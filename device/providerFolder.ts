/**
 * The providers that the administrator has registered. Each folder and each program must belong to
 * root and be writable by nobody else: some of them run with all rights.
 *
 * Errors: UPB-PROVIDER-UNKNOWN, UPB-PROVIDER-UNSAFE.
 */
import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { UpbeatError } from "../protocol/errors/error.ts";
import { PROVIDER_VERBS, ProviderId, type ProviderVerb } from "../protocol/providers.ts";
import { whyUnsafe } from "./limitedProgram.ts";

const MAX_PROVIDERS = 32;

/** What has the name of a provider; whether it may be used is found out when it is. */
export function providerNames(folder: string): ProviderId[] {
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder)
    .flatMap((name) => ProviderId.safeParse(name).data ?? [])
    .toSorted()
    .slice(0, MAX_PROVIDERS);
}

/** The path of one of its programs. */
export function providerProgram(
  folder: string,
  provider: ProviderId,
  verb: ProviderVerb | "scan",
): string {
  const own = join(folder, provider);
  const file = join(own, verb);
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new UpbeatError("UPB-PROVIDER-UNKNOWN", {
      object: provider,
      detail: `there is no ${file}`,
    });
  }
  // Who may write to a folder above could put another one in its place.
  for (const [path, kind] of [
    [dirname(folder), "folder"],
    [folder, "folder"],
    [own, "folder"],
    [file, "file"],
  ] as const) {
    const unsafe = whyUnsafe(path, kind);
    if (unsafe !== undefined) {
      throw new UpbeatError("UPB-PROVIDER-UNSAFE", { object: path, detail: unsafe });
    }
  }
  return file;
}

export const providerVerbs = (folder: string, provider: ProviderId): ProviderVerb[] =>
  PROVIDER_VERBS.filter(
    (verb) => lstatSync(join(folder, provider, verb), { throwIfNoEntry: false })?.isFile() === true,
  );
