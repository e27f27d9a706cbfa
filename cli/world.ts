/** Everything a command may touch, as a value: a test brings its own world and needs no mocks. */

export interface Screen {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** Width in characters; 80 when it is not a terminal. */
  readonly columns: number;
}

/** A person's terminal, for a screen that is drawn again and again. */
export interface Terminal {
  size(): { readonly columns: number; readonly rows: number };
  /**
   * Takes the whole terminal: single keys, and a screen beside the one with what was said before.
   * The answer gives it back as it was; so does the end of the process, whatever ends it.
   */
  take(on: { readonly key: (key: string) => void; readonly resized: () => void }): () => void;
}

export interface World {
  /** Arguments after `upbeat`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Results, and nothing else. */
  readonly out: Screen;
  /** Progress, warnings, questions, errors. */
  readonly err: Screen;
  /** Asks without echo; absent when nobody is there to answer. */
  readonly askSecret: ((question: string) => Promise<string>) | undefined;
  /** Absent when the input or the output is none. */
  readonly terminal: Terminal | undefined;
  /** Aborted when the person presses Ctrl-C or the process is told to end. */
  readonly interrupted: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** NO_COLOR (no-color.org) wins, then CLICOLOR_FORCE, then whether it is a terminal. */
export function wantsColours(env: World["env"], isTerminal: boolean): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.CLICOLOR_FORCE !== undefined && !["", "0"].includes(env.CLICOLOR_FORCE)) return true;
  return isTerminal && env.TERM !== "dumb";
}
