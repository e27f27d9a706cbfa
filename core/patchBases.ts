/**
 * From which versions a new one gets patches. Pure.
 *
 * The versions just before it, because most machines are there soon, and those that most machines
 * report to have, however old. A patch costs the publisher time and the server room; a machine
 * without one still gets there by a chain of patches or by files.
 */
import type { Version } from "../protocol/ids.ts";
import { compareVersions } from "./versionOrder.ts";

/** Measured (delta.md, section 8): of a 150 MB program three patches are a third of a release. */
const NEWEST = 3;
const MOST_INSTALLED = 5;

export interface InstalledCount {
  readonly version: Version;
  readonly devices: number;
}

/**
 * Newest first. Never a version that is newer than `version`, nor one that is not listed. When the
 * version is listed itself, its neighbours have had their turn, and only machines' reports count.
 */
export function patchBases(
  version: Version,
  listed: readonly Version[],
  installed: readonly InstalledCount[],
): Version[] {
  const older = listed.filter((one) => compareVersions(one, version) < 0);
  const neighbours = listed.includes(version) ? 0 : NEWEST;
  const newest = older.toSorted((a, b) => compareVersions(b, a)).slice(0, neighbours);
  const most = installed
    .filter(({ version: one, devices }) => devices > 0 && older.includes(one))
    .toSorted((a, b) => b.devices - a.devices)
    .slice(0, MOST_INSTALLED);
  const chosen = new Set([...newest, ...most.map((one) => one.version)]);
  return [...chosen].sort((a, b) => compareVersions(b, a));
}
