/**
 * The service console as a terminal screen: what it shows at a size, and what a key does. Pure: who
 * draws it, asks the manager and acts is `cli/watchServices.ts`.
 */
import type { ServiceAction, ServiceInfo } from "../../protocol/servicesApi.ts";
import { moment, plain } from "./format.ts";
import { detailLine, lastWords, stateSentence, statusText } from "./serviceText.ts";
import type { Style } from "./style.ts";
import { width } from "./table.ts";

export interface ServiceScreen {
  readonly services: readonly ServiceInfo[];
  readonly selected: number;
  readonly view: "services" | "log";
  /** Of the selected service, oldest first. */
  readonly log: readonly string[];
  /** What was just done or could not be done. */
  readonly note: { readonly text: string; readonly isBad: boolean } | undefined;
  /** An action that is on its way: another one waits for its end. */
  readonly acting: boolean;
}

export type Pressed =
  | { readonly is: "screen"; readonly screen: ServiceScreen }
  | { readonly is: "act"; readonly action: ServiceAction }
  | { readonly is: "quit" };

const ACTIONS: Readonly<Record<string, ServiceAction>> = {
  s: "start",
  t: "stop",
  r: "restart",
  e: "enable",
  d: "disable",
};
const UP: ReadonlySet<string> = new Set(["\u001b[A", "\u001bOA", "k"]);
const DOWN: ReadonlySet<string> = new Set(["\u001b[B", "\u001bOB", "j", "\t"]);
const QUIT: ReadonlySet<string> = new Set(["q", "Q", "\u0003", "\u0004"]);

export function pressed(screen: ServiceScreen, key: string): Pressed {
  if (QUIT.has(key)) return { is: "quit" };
  const count = Math.max(1, screen.services.length);
  const step = UP.has(key) ? count - 1 : DOWN.has(key) ? 1 : 0;
  if (step > 0) {
    const selected = (screen.selected + step) % count;
    return { is: "screen", screen: { ...screen, selected, log: [], note: undefined } };
  }
  if (key.toLowerCase() === "l") {
    const view = screen.view === "log" ? "services" : "log";
    return { is: "screen", screen: { ...screen, view, note: undefined } };
  }
  const action = ACTIONS[key.toLowerCase()];
  if (action === undefined || screen.acting || screen.services.length === 0)
    return { is: "screen", screen };
  return { is: "act", action };
}

const KEYS = "s start  t stop  r restart  e enable  d disable  l log  q quit";
/** Title, table head, keys and what stands between. */
const LEAST_ROWS = 8;

/** Lines, none longer than the terminal is wide, and no more than it has rows. */
export function drawServices(
  style: Style,
  screen: ServiceScreen,
  at: { readonly columns: number; readonly rows: number; readonly nowMs: number },
): string[] {
  const { columns, nowMs } = at;
  const rows = Math.max(LEAST_ROWS, at.rows);
  const cut = (line: string): string => cutTo(line, columns - 1);
  const one = screen.services[screen.selected];
  const head = [
    `${style.bold("Upbeat services")}   ${style.dim(moment(nowMs))}`,
    "",
    style.dim(`  ${line(["SERVICE", "STATUS", "START-UP", "PID", "SINCE", "RESTARTS"])}`),
    ...screen.services.map((it, index) => row(style, it, index === screen.selected, nowMs)),
    "",
  ];
  const { note } = screen;
  const foot = [
    note === undefined
      ? ""
      : note.isBad
        ? style.bad(plain(note.text))
        : style.good(plain(note.text)),
    style.dim(KEYS),
  ];
  const room = Math.max(1, rows - head.length - foot.length);
  const body =
    one === undefined
      ? [style.dim("Nothing to show yet.")]
      : screen.view === "log"
        ? [style.bold(`Log of ${one.name}`), ...screen.log.map(plain).slice(-(room - 1))]
        : about(style, one, nowMs, { columns: columns - 1, room });
  return [...head, ...body.slice(0, room), ...foot].slice(-rows).map(cut);
}

function row(style: Style, one: ServiceInfo, isSelected: boolean, nowMs: number): string {
  const status = statusText(style, one);
  const seconds = Math.max(0, Math.round((nowMs - one.sinceMs) / 1_000));
  const text = line([one.name, status, one.startUp, one.pid ?? "-", clock(seconds), one.restarts]);
  return `${isSelected ? style.accent(">") : " "} ${text}`;
}

const WIDTHS = [16, 12, 10, 8, 12, 8];
const line = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell, at) => {
      const text = String(cell);
      return text + " ".repeat(Math.max(1, (WIDTHS[at] ?? 0) - width(text)));
    })
    .join("")
    .trimEnd();

/** `3:07`, `1:12:09`, `4 d 02:11`: it counts on while one looks. */
function clock(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  if (days > 0)
    return `${days} d ${two((seconds % 86_400) / 3_600)}:${two((seconds % 3_600) / 60)}`;
  const hours = Math.floor(seconds / 3_600);
  const rest = `${two((seconds % 3_600) / 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

function about(
  style: Style,
  one: ServiceInfo,
  nowMs: number,
  { columns, room }: { readonly columns: number; readonly room: number },
): string[] {
  const sentence = stateSentence(one, nowMs);
  const what = [
    ...wrap(`${one.title}: ${one.description}`, columns).map(style.bold),
    ...wrap(detailLine(one, nowMs), columns).map(style.dim),
    ...(sentence === undefined ? [] : wrap(sentence, columns).map(style.warn)),
  ];
  const words = lastWords(one).flatMap((line) => wrap(line, columns));
  // The end of what it said is why it ended.
  const last = words.slice(-Math.max(1, room - what.length - 2));
  return words.length === 0
    ? what
    : [...what, "", style.dim("Its last words:"), ...last.map(style.dim)];
}

/** Between words where there are some, else anywhere: logs have lines without a space. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").flatMap((each) => pieces(each, columns))) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 1 + width(word) <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function pieces(word: string, columns: number): string[] {
  const found: string[] = [];
  let rest = word;
  while (width(rest) > columns) {
    // At least one character, also where not even that has room.
    const piece = cutTo(rest, columns) || String.fromCodePoint(rest.codePointAt(0) ?? 32);
    found.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...found, rest];
}

/** Colours stay whole: an escape sequence takes no cell and is never cut. */
function cutTo(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let cells = 0;
  let cut = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
  for (const [part] of text.matchAll(/\u001b\[[0-9;]*m|./gsu)) {
    const isColour = part.startsWith("\u001b");
    cells += isColour ? 0 : width(part);
    if (isColour || cells <= columns) cut += part;
  }
  return cut;
}
