/**
 * The order of versions: which of two is newer.
 *
 * Read from left to right, number runs by value and letter runs by code point. `-` starts a
 * pre-release, which comes before its release (Semantic Versioning 2.0, rule 11: `1.0.0-rc.1` <
 * `1.0.0`, numbers before words); `~` comes before everything, even the end (Debian Policy 5.6.12:
 * `1.0~beta` < `1.0`); `+` is a rebuild and comes after (Debian again: `1.0` < `1.0+deb12u1`).
 * Unlike Semantic Versioning, `rc10` is newer than `rc9`, and no two different texts are equal.
 */

/** Below 0: `left` is older. 0: they are the same text. Above 0: `left` is newer. Any text is allowed. */
export function compareVersions(left: string, right: string): number {
  if (left === right) return 0;
  const a = tokensOf(left);
  const b = tokensOf(right);
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareTokens(a[at] ?? END, b[at] ?? END);
    if (order !== 0) return order;
  }
  // `1.01` and `1.1` have the same parts; the text decides, so that the order is total.
  return left < right ? -1 : 1;
}

/** What can stand at one place of a version, oldest first. */
const RANK = { tilde: 0, preRelease: 1, end: 2, number: 3, word: 4, separator: 5, rebuild: 6 };

interface Token {
  readonly rank: number;
  readonly text: string;
}

const END: Token = { rank: RANK.end, text: "" };

/** A check compares the same few thousand versions again and again; reading them is the dear part. */
const READ_MAX = 8_192;
const read = new Map<string, readonly Token[]>();

function tokensOf(version: string): readonly Token[] {
  const known = read.get(version);
  if (known !== undefined) return known;
  if (read.size >= READ_MAX) read.clear();
  const tokens = readTokens(version);
  read.set(version, tokens);
  return tokens;
}

function readTokens(version: string): Token[] {
  const tokens: Token[] = [];
  // Only the first `-` before any `+` starts a pre-release; later ones are plain separators.
  let inRelease = true;
  for (const [text] of version.matchAll(/[0-9]+|[A-Za-z]+|[^0-9A-Za-z]/gu)) {
    const rank = rankOf(text, inRelease);
    if (rank === RANK.preRelease || rank === RANK.rebuild) inRelease = false;
    tokens.push({ rank, text: rank === RANK.number ? text.replace(/^0+(?=\d)/, "") : text });
  }
  return tokens;
}

function rankOf(text: string, inRelease: boolean): number {
  if (text === "~") return RANK.tilde;
  if (text === "+") return RANK.rebuild;
  if (text === "-" && inRelease) return RANK.preRelease;
  if (/^[0-9]/.test(text)) return RANK.number;
  if (/^[A-Za-z]/.test(text)) return RANK.word;
  return RANK.separator;
}

function compareTokens(a: Token, b: Token): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  // Numbers of any length: without leading zeros the longer one is larger.
  if (a.rank === RANK.number && a.text.length !== b.text.length) {
    return a.text.length - b.text.length;
  }
  return a.text === b.text ? 0 : a.text < b.text ? -1 : 1;
}
