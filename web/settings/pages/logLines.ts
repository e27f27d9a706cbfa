/** A service's log as a person reads it: the JSON lines that pino writes, in words. */

/** Whose there are. */
export const LOG_SERVICES = ["update-service", "orchestrator"] as const;

export interface LogLine {
  readonly key: string;
  readonly atMs: number | undefined;
  readonly level: "debug" | "info" | "warning" | "error";
  readonly text: string;
  /** What belongs to it, e.g. an error's code and remedy. */
  readonly more: string | undefined;
}

/** pino's numbers: 30 info, 40 warning, 50 error, 60 fatal. */
const LEVELS = [
  [50, "error"],
  [40, "warning"],
  [30, "info"],
] as const;

/** What every line of a service says, and a reader does not need to see on each. */
const USUAL: ReadonlySet<string> = new Set(["level", "time", "pid", "hostname", "service", "msg"]);

export function logLines(lines: readonly string[]): LogLine[] {
  return lines.map((line, at) => ({ key: `${at}`, ...parsed(line) }));
}

function parsed(line: string): Omit<LogLine, "key"> {
  const entry = jsonOf(line);
  // Not from us: what Node itself says when it dies, most likely.
  if (entry === undefined) return { atMs: undefined, level: "error", text: line, more: undefined };
  const { msg, level, time } = entry;
  const rest = Object.entries(entry).filter(([name]) => !USUAL.has(name));
  return {
    atMs: typeof time === "number" ? time : undefined,
    level: LEVELS.find(([number]) => typeof level === "number" && level >= number)?.[1] ?? "debug",
    text: typeof msg === "string" ? msg : line,
    more:
      rest.length === 0 ? undefined : rest.map(([name, value]) => words(name, value)).join("\n"),
  };
}

function jsonOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function words(name: string, value: unknown): string {
  if (name === "error" && typeof value === "object" && value !== null && "text" in value) {
    const { code, text, object, detail, remedy } = value as Record<string, unknown>;
    return [`${text}: ${object} (${code})`, detail, remedy].filter(Boolean).join("\n");
  }
  return `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
}
