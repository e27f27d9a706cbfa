/** The world of a real process. */
import type { WriteStream } from "node:tty";
import { realTerminal } from "./realTerminal.ts";
import { type Screen, type World, wantsColours } from "./world.ts";

export function realWorld(args: readonly string[]): World {
  const interrupt = new AbortController();
  // Once is enough: a terminal sends it to the whole group, and the launcher forwards it again.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => interrupt.abort(signal));
  }
  // `upbeat history | head` closes the pipe: that is not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    args,
    env: process.env,
    cwd: process.cwd(),
    out: screen(process.stdout),
    err: screen(process.stderr),
    askSecret: process.stdin.isTTY && process.stderr.isTTY ? askSecret : undefined,
    terminal: process.stdin.isTTY && process.stdout.isTTY ? realTerminal() : undefined,
    interrupted: interrupt.signal,
    now: Date.now,
  };
}

function screen(stream: WriteStream): Screen {
  const isTerminal = stream.isTTY === true;
  return {
    write: (text) => void stream.write(text),
    isTerminal,
    colours: wantsColours(process.env, isTerminal),
    get columns() {
      return isTerminal ? stream.columns || 80 : 80;
    },
  };
}

/** Raw mode, so that the terminal shows nothing of what is typed. */
function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  process.stdin.setRawMode(true);
  process.stdin.setEncoding("utf8");
  process.stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = "";
    const finish = (end: () => void) => {
      process.stdin.off("data", take);
      process.stdin.setRawMode(false);
      process.stdin.pause();
      process.stderr.write("\n");
      end();
    };
    const take = (chunk: string) => {
      for (const key of chunk) {
        if (key === "\r" || key === "\n") return finish(() => resolve(typed));
        if (key === "\u0003" || key === "\u0004") {
          // In raw mode Ctrl-C arrives as a character; make it the signal that it stands for.
          return finish(() => {
            process.kill(process.pid, "SIGINT");
            reject(new Error("interrupted"));
          });
        }
        typed = key === "\u007f" || key === "\b" ? typed.slice(0, -1) : typed + key;
      }
    };
    process.stdin.on("data", take);
  });
}
