/**
 * How people write the parts of an offer policy on a command line: machines, moments, updates,
 * curves and rings. Errors: UPB-CLI-USAGE with what was expected.
 */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Product, Version } from "../../protocol/ids.ts";
import { CLASSIFICATIONS, type FactRule, Rule } from "../../protocol/manifest.ts";
import { type PolicyEntryId, Ring, UpdateFilter } from "../../protocol/offerPolicy.ts";

/**
 * `tag.kiosk` · `!tag.kiosk` · `os.id=debian,ubuntu` · `os.version>=12` · `os.version<13`, joined with
 * `&`; or a rule as JSON, which can say everything.
 */
export function whoOf(text: string): Rule {
  if (text.trimStart().startsWith("{")) {
    const rule = Rule.safeParse(parseJson(text)).data;
    if (rule !== undefined) return rule;
    throw usage(text, "it is not a rule in JSON");
  }
  const conditions = text.split("&").map((part) => conditionOf(part.trim(), text));
  const [only, ...more] = conditions;
  return only !== undefined && more.length === 0 ? only : { all: conditions };
}

const CONDITION = /^(!?)([A-Za-z][\w.-]*)(?:(=|!=|>=|<)([^=<>]+))?$/;

function conditionOf(part: string, all: string): Rule {
  const [, not, fact, operator, value] = CONDITION.exec(part) ?? [];
  if (fact === undefined || (not === "!" && operator !== undefined))
    throw usage(all, "machines are e.g. tag.kiosk, os.id=debian,ubuntu or os.version>=12");
  if (operator === undefined || value === undefined) return { fact, exists: not !== "!" };
  if (operator === ">=") return { fact, versionAtLeast: value };
  if (operator === "<") return { fact, versionBelow: value };
  // A fact may be text, a number or a truth; whoever types cannot know which.
  const rule: FactRule = { fact, oneOf: value.split(",").flatMap(readings) };
  return operator === "=" ? rule : { not: rule };
}

const readings = (word: string): (string | number | boolean)[] => {
  if (word === "true" || word === "false") return [word, word === "true"];
  return /^-?\d+(\.\d+)?$/.test(word) ? [word, Number(word)] : [word];
};

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `now` · `+36h` · `+2d` · `2026-12-01` · `2026-12-01T08:00`, in the time zone of this machine. */
export function momentOf(text: string, nowMs: number): string {
  const [, amount, unit] = /^\+(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (text === "now") return new Date(nowMs).toISOString();
  if (unit !== undefined)
    return new Date(nowMs + Number(amount) * (UNIT_MS[unit] ?? 0)).toISOString();
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  // A date alone would be read as UTC: midnight here is meant.
  const ms = isDate ? Date.parse(text.includes("T") ? text : `${text}T00:00`) : Number.NaN;
  if (Number.isFinite(ms)) return new Date(ms).toISOString();
  throw usage(text, "a moment is now, +36h, +2d, 2026-12-01 or 2026-12-01T08:00");
}

/** `kiosk` · `kiosk@1.4` · `kiosk>=1.3` · `kiosk<1.5` · `kiosk>=1.3<1.5` · `class=driver` · `all`. */
export function updatesOf(text: string): UpdateFilter {
  if (text === "all") return {};
  const [, classes] = /^class=(.+)$/.exec(text) ?? [];
  if (classes !== undefined) {
    const known = z.array(z.enum(CLASSIFICATIONS)).safeParse(classes.split(","));
    if (known.success) return { classifications: known.data };
    throw usage(text, `a class is one of ${CLASSIFICATIONS.join(", ")}`);
  }
  const [, product, version, from, below] =
    /^([^@<>=]+)(?:@([^<>=]+)|(?:>=([^<>=]+))?(?:<([^<>=]+))?)$/.exec(text) ?? [];
  const filter = UpdateFilter.safeParse(
    JSON.parse(JSON.stringify({ product, version, from, below })),
  );
  if (product !== undefined && filter.success) return filter.data;
  throw usage(text, "updates are kiosk, kiosk@1.4, kiosk>=1.3<1.5, class=driver or all");
}

/** `PRODUCT@VERSION`, as an input field. */
export const UpdateName = z.string().transform((text, context) => {
  const at = text.indexOf("@");
  const named = z
    .object({ product: Product, version: Version })
    .safeParse({ product: text.slice(0, at), version: text.slice(at + 1) });
  if (at > 0 && named.success) return named.data;
  context.addIssue("an update is named PRODUCT@VERSION, e.g. kiosk@1.4.0");
  return z.NEVER;
});

/** `PRODUCT` or `PRODUCT@VERSION`, as an input field. */
export const ProductOrUpdate = z.string().transform((text, context) => {
  const [product, version, ...rest] = text.split("@");
  const parsed = z
    .object({ product: Product, version: Version.optional() })
    .safeParse({ product, ...(version === undefined ? {} : { version }) });
  if (parsed.success && rest.length === 0) return parsed.data;
  context.addIssue("expected PRODUCT or PRODUCT@VERSION");
  return z.NEVER;
});

/** `NAME [who=MACHINES] [start=MOMENT] [curve=PERCENT[@HOURSh],…]`, in any order after the name. */
export function ringOf(text: string, nowMs: number): Ring {
  const [name, ...parts] = text.split(/\s+/).filter((part) => part !== "");
  const said = new Map<string, string>();
  for (const part of parts) {
    const [, key, value] = /^(who|start|curve)=(.+)$/.exec(part) ?? [];
    if (key === undefined || value === undefined || said.has(key)) throw ringUsage(text);
    said.set(key, value);
  }
  const [who, curve] = [said.get("who"), said.get("curve")];
  const ring = Ring.safeParse({
    name,
    startsAt: momentOf(said.get("start") ?? "now", nowMs),
    ...(who === undefined ? {} : { who: whoOf(who) }),
    ...(curve === undefined ? {} : { curve: curveOf(curve) }),
  });
  if (ring.success) return ring.data;
  throw usage(text, z.prettifyError(ring.error));
}

/** `10,50@24h,100@3d`: 10 % at once, half a day later, everybody after three. */
function curveOf(text: string): { afterHours: number; percent: number }[] {
  return text.split(",").map((point, at) => {
    const [, percent, after, unit] = /^(\d+(?:\.\d+)?)(?:@(\d+)([hd]))?$/.exec(point) ?? [];
    if (percent === undefined || (at > 0 && after === undefined))
      throw usage(text, "a curve is e.g. 10,50@24h,100@3d");
    return { percent: Number(percent), afterHours: Number(after ?? 0) * (unit === "d" ? 24 : 1) };
  });
}

/** An id that is free, and that was free before an entry was removed too: `H-20261125-093107`. */
export function freeId(
  letter: string,
  entries: readonly { readonly id: string }[],
  nowMs: number,
): PolicyEntryId {
  const taken = new Set(entries.map(({ id }) => id));
  for (let atMs = nowMs; ; atMs += 1_000) {
    const [day, time] = new Date(atMs).toISOString().slice(0, 19).replace(/[-:]/g, "").split("T");
    const id = `${letter}-${day}-${time}`;
    if (!taken.has(id)) return id;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema behind it refuses undefined.
    return undefined;
  }
}

const ringUsage = (text: string): UpbeatError =>
  usage(text, 'a ring is "NAME who=MACHINES start=MOMENT curve=10,50@24h,100@3d"');
const usage = (object: string, detail: string): UpbeatError =>
  new UpbeatError("UPB-CLI-USAGE", { object, detail });

/** A rule as `whoOf` reads it where that is possible, otherwise in words. */
export function ruleText(rule: Rule): string {
  if ("all" in rule) return rule.all.map(nested).join(" & ");
  if ("any" in rule) return rule.any.map(nested).join(" or ");
  if ("not" in rule) return `not (${ruleText(rule.not)})`;
  if ("exists" in rule) return rule.exists ? rule.fact : `!${rule.fact}`;
  if ("equals" in rule) return `${rule.fact}=${rule.equals}`;
  if ("oneOf" in rule) return `${rule.fact}=${[...new Set(rule.oneOf.map(String))].join(",")}`;
  if ("versionBelow" in rule) return `${rule.fact}<${rule.versionBelow}`;
  return `${rule.fact}>=${"atLeast" in rule ? rule.atLeast : rule.versionAtLeast}`;
}

const nested = (rule: Rule): string =>
  "all" in rule || "any" in rule ? `(${ruleText(rule)})` : ruleText(rule);

/** An UpdateFilter as `updatesOf` reads it. */
export function filterText(filter: UpdateFilter): string {
  const { product, version, from, below, classifications } = filter;
  const name = product ?? (classifications === undefined ? "all" : "");
  const range = `${from === undefined ? "" : `>=${from}`}${below === undefined ? "" : `<${below}`}`;
  const classes = classifications === undefined ? "" : `class=${classifications.join(",")}`;
  return `${name}${version === undefined ? "" : `@${version}`}${range}${name && classes ? " " : ""}${classes}`;
}
