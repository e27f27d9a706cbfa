/**
 * Names of roles, and how they are written in URLs and on disk.
 *
 * A role name comes from signed metadata, but its signer may be hostile: `../evil`, `?`, `#`.
 */

export const TOP_LEVEL_ROLES = ["root", "timestamp", "snapshot", "targets"] as const;
export type TopLevelRole = (typeof TOP_LEVEL_ROLES)[number];

export const isTopLevel = (name: string): name is TopLevelRole =>
  TOP_LEVEL_ROLES.some((role) => role === name);

/** Percent-encoded like Python's `quote(name, "")`: only `A-Za-z0-9_.-~` stay as they are. */
export const encodeRoleName = (name: string): string =>
  encodeURIComponent(name).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** `3.stable.json`, or `stable.json` in a repository without consistent snapshots (6.2). */
export const metadataFileName = (role: string, version: number, versioned: boolean): string =>
  `${versioned ? `${version}.` : ""}${encodeRoleName(role)}.json`;
