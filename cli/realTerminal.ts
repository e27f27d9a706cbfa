/** The terminal of a real process: raw keys, and the screen that full-screen programs use (xterm, `smcup`). */
import type { Terminal } from "./world.ts";

const OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const FIRST_SCREEN = "\u001b[?25h\u001b[?1049l";

/** What a key sends when it is pressed; an escape sequence is one key, and pasted text is many. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what such keys send
const KEY = /\u001b[[O][0-9;]*[A-Za-z~]|./gsu;

export function realTerminal(): Terminal {
  const { stdin, stdout } = process;
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    take(on) {
      const keys = (text: string): void => {
        for (const [key] of text.matchAll(KEY)) on.key(key);
      };
      let taken = true;
      const giveBack = (): void => {
        if (!taken) return;
        taken = false;
        process.off("exit", giveBack);
        stdin.off("data", keys);
        stdout.off("resize", on.resized);
        stdin.setRawMode(false);
        stdin.pause();
        stdout.write(FIRST_SCREEN);
      };
      process.on("exit", giveBack);
      stdin.setRawMode(true);
      stdin.setEncoding("utf8");
      stdin.on("data", keys);
      stdin.resume();
      stdout.on("resize", on.resized);
      stdout.write(OTHER_SCREEN);
      return giveBack;
    },
  };
}
