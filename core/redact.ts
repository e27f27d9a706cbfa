/**
 * Takes out of a text what names people, places and secrets, before it leaves the machine. The same
 * name becomes the same word everywhere, so that what belongs together still does. Pure.
 *
 * Goes: login names and home folders, host names, addresses of networks and cards, e-mail addresses,
 * passwords and tokens wherever they stand, private keys. Stays: SHA-256 of content, ids of devices
 * and updates, loopback, paths outside home folders.
 */

export interface Known {
  /** Login names of people. */
  readonly users: readonly string[];
  /** This machine's name, its server's, its proxies'; all that ends with one of them. */
  readonly hosts: readonly string[];
}

export interface Redactor {
  text(text: string): string;
  /** Every string in it, also names of fields. */
  value(value: unknown): unknown;
}

/** Nobody's: they say what is listened to, not where. */
const OPEN_ADDRESSES = /^(?:127\.|0\.0\.0\.0$|255\.|::1?$)/;
const OPEN_HOSTS = new Set(["localhost", "localhost.localdomain"]);
/** System accounts are the same on every machine. */
const OPEN_USERS = new Set(["root", "nobody", "daemon", "upbeat"]);

const SECRETS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    "[private key]",
  ],
  [/\bupbeat-token\.[A-Za-z0-9_.-]+/g, "[token]"],
  [/\b(Bearer|Basic|Digest)\s+[A-Za-z0-9+/_=.~-]{6,}/gi, "$1 [secret]"],
  [
    /(["']?\b[\w-]*(?:password|passwd|passphrase|secret|token|api[-_]?key|authorization|cookie)\b["']?\s*[:=]\s*)(?:"[^"\n]*"|'[^'\n]*'|[^\s,;&}]+)/gi,
    "$1[secret]",
  ],
  // Between a scheme and its host: name and password.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, "$1[login]@"],
];

const URL_HOST =
  /\b[a-z][a-z0-9+.-]*:\/\/(?:\[login\]@)?([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)/gi;
const HOME = /(\/(?:home|Users)\/)([^/\s"':,;)]+)/g;
const EMAIL = /\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b/g;
const CARD = /\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/gi;
const IPV4 =
  /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.]*\d)/g;
const IPV6 =
  /(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,7}(?![\w:])|(?<![\w:.])(?:[0-9a-f]{1,4}:){1,7}:(?![\w:])|(?<![\w:.])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])|(?<![\w:.])::(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{1,4}(?![\w:])/gi;

export function redactor(known: Known): Redactor {
  const words = new Map<string, string>();
  const wordFor = (kind: string, name: string): string => {
    const key = `${kind} ${name.toLowerCase()}`;
    const word =
      words.get(key) ??
      `${kind}-${[...words.keys()].filter((it) => it.startsWith(`${kind} `)).length + 1}`;
    words.set(key, word);
    return word;
  };
  const hosts = new Set(known.hosts.map((host) => host.toLowerCase()).filter(isHost));
  const users = known.users.filter((user) => user.length > 1 && !OPEN_USERS.has(user));

  const text = (given: string): string => {
    let out = given;
    for (const [pattern, instead] of SECRETS) out = out.replace(pattern, instead);
    for (const [, host = ""] of out.matchAll(URL_HOST))
      if (isHost(host)) hosts.add(host.toLowerCase());
    out = out.replace(EMAIL, (it) => wordFor("mail", it));
    out = out.replace(HOME, (_, start: string, name: string) => `${start}${wordFor("user", name)}`);
    // The longest first: one may be the end of another.
    for (const host of [...hosts].toSorted((a, b) => b.length - a.length)) {
      const pattern = new RegExp(`(?<![\\w-])(?:[\\w-]+\\.)*${escaped(host)}(?![\\w-])`, "gi");
      out = out.replace(pattern, (it) => wordFor("host", it));
    }
    for (const user of users)
      out = out.replace(new RegExp(`(?<![\\w-])${escaped(user)}(?![\\w-])`, "g"), (it) =>
        wordFor("user", it),
      );
    out = out.replace(CARD, (it) => wordFor("card", it));
    for (const pattern of [IPV4, IPV6])
      out = out.replace(pattern, (it) => (OPEN_ADDRESSES.test(it) ? it : wordFor("address", it)));
    return out;
  };

  const value = (given: unknown): unknown => {
    if (typeof given === "string") return text(given);
    if (Array.isArray(given)) return given.map(value);
    if (typeof given !== "object" || given === null) return given;
    return Object.fromEntries(
      Object.entries(given).map(([name, one]) => [
        text(name),
        typeof one === "string" && SECRET_NAME.test(name) ? "[secret]" : value(one),
      ]),
    );
  };
  return { text, value };
}

const SECRET_NAME = /password|passwd|passphrase|secret|token|api[-_]?key|authorization|cookie/i;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** An address is not a name; a name of one letter is everywhere. */
const isHost = (host: string): boolean =>
  host.length > 2 && !OPEN_HOSTS.has(host.toLowerCase()) && !/^[\d.]+$/.test(host);
