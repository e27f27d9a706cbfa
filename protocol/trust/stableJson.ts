/**
 * JSON with sorted members: the bytes of a file are the same whoever writes it.
 *
 * Not the canonical form that is signed (`canonicalJson.ts`): that one does not escape control
 * characters, so release notes with a line break would not be JSON.
 */
export const stableJson = (value: unknown): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(sorted(value)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
