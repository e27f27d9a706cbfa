/** A world for tests: what was printed, what was asked, a clock that stands still. */
import type { World } from "../../cli/world.ts";

export interface TestWorld extends World {
  /** Everything on stdout and on stderr so far. */
  readonly printed: { out: string; err: string };
  readonly interrupt: AbortController;
}

export const TEST_NOW_MS = Date.UTC(2026, 10, 24, 9, 0, 0);

export function testWorld(
  args: readonly string[],
  given: {
    env?: Record<string, string>;
    cwd?: string;
    terminal?: boolean;
    askSecret?: World["askSecret"];
    keys?: World["terminal"];
    now?: () => number;
  } = {},
): TestWorld {
  const printed = { out: "", err: "" };
  const interrupt = new AbortController();
  const screen = (name: "out" | "err") => ({
    write: (text: string) => {
      printed[name] += text;
    },
    isTerminal: given.terminal ?? false,
    colours: false,
    columns: 100,
  });
  return {
    args,
    env: given.env ?? {},
    cwd: given.cwd ?? "/nowhere",
    out: screen("out"),
    err: screen("err"),
    askSecret: given.askSecret,
    terminal: given.keys,
    interrupted: interrupt.signal,
    now: given.now ?? (() => TEST_NOW_MS),
    printed,
    interrupt,
  };
}
