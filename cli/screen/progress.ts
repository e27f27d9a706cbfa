/**
 * One line that says what is being done: a bar with bytes, speed and time left on a terminal,
 * one line a step everywhere else. Writes to stderr only.
 */
import type { Screen, World } from "../world.ts";
import { bytes, duration } from "./format.ts";
import { type Style, styleFor } from "./style.ts";
import { width } from "./table.ts";

export interface Step {
  /** A step with another text ends the one before it. */
  text: string;
  doneBytes?: number | undefined;
  totalBytes?: number | undefined;
  /** The bar is over more than this step: how far all of it is, and how long the rest takes. */
  whole?: { readonly fraction: number; readonly leftMs?: number | undefined } | undefined;
}

export interface Progress {
  /** Say what is being done now; cheap, call it as often as you like. */
  show(step: Step): void;
  /** Ends the last step with a mark. */
  end(mark: "done" | "failed"): void;
}

/** Faster than this nobody can read, and a slow terminal would hold the work up. */
const REDRAW_MS = 80;
const BAR_CELLS = 20;
const SPINNER = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"];

export function progressOn(world: Pick<World, "err" | "env" | "now">): Progress {
  const { err: screen, now } = world;
  const style = styleFor(screen, world.env);
  let step: Step | undefined;
  let startedMs = 0;
  let drawnMs = 0;
  let ticker: NodeJS.Timeout | undefined;

  function draw(): void {
    if (step === undefined) return;
    drawnMs = now();
    const tick = SPINNER[Math.floor(drawnMs / REDRAW_MS) % SPINNER.length] ?? "";
    const spinner = style.marks.done === "+" ? "*" : tick;
    screen.write(`\r\u001b[K${liveLine(style, spinner, step, drawnMs - startedMs, screen)}`);
  }

  function end(mark: "done" | "failed"): void {
    clearInterval(ticker);
    if (step === undefined) return;
    const paint = mark === "done" ? style.good : style.bad;
    const took = style.dim(duration(now() - startedMs));
    const sizeBytes = step.totalBytes || step.doneBytes;
    const size = sizeBytes ? `  ${style.dim(bytes(sizeBytes))}` : "";
    const line = `  ${paint(style.marks[mark])} ${step.text}${size}  ${took}\n`;
    screen.write(screen.isTerminal ? `\r\u001b[K${line}` : line);
    step = undefined;
  }

  return {
    show(next) {
      const sameStep = step?.text === next.text;
      if (!sameStep) {
        end("done");
        startedMs = now();
        drawnMs = 0;
        if (screen.isTerminal) {
          // Keeps the spinner alive while nothing arrives; never keeps the process alive.
          ticker = setInterval(draw, REDRAW_MS);
          ticker.unref();
        }
      }
      step = next;
      if (screen.isTerminal && now() - drawnMs >= REDRAW_MS) draw();
    },
    end,
  };
}

function liveLine(style: Style, spinner: string, step: Step, tookMs: number, screen: Screen) {
  const head = `  ${style.accent(spinner)} ${step.text}`;
  const { doneBytes = 0, totalBytes = 0, whole } = step;
  if (totalBytes === 0 && whole === undefined) {
    const size = doneBytes === 0 ? "" : `  ${bytes(doneBytes)}`;
    return `${head}${size}  ${style.dim(duration(tookMs))}`;
  }
  const share = whole?.fraction ?? Math.min(1, doneBytes / totalBytes);
  const perMs = doneBytes / Math.max(1, tookMs);
  const ofStep =
    totalBytes === 0
      ? []
      : [`${bytes(doneBytes)} of ${bytes(totalBytes)}`, style.dim(`${bytes(perMs * 1000)}/s`)];
  const leftMs = whole === undefined ? stepLeftMs(step, perMs, tookMs) : whole.leftMs;
  const parts = [
    head,
    barOf(style, share),
    `${Math.floor(share * 100)} %`.padStart(5),
    ...(leftMs === undefined ? [] : [style.dim(`${duration(leftMs)} left`)]),
    ...ofStep,
  ];
  // A line that wraps cannot be redrawn in place: leave out from the right until it fits.
  while (parts.length > 1 && width(parts.join("  ")) >= screen.columns) parts.pop();
  return parts.join("  ");
}

function barOf(style: Style, share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return style.accent(style.marks.full.repeat(full)) + style.marks.empty.repeat(BAR_CELLS - full);
}

/** The bar over all of a change, as it stands. */
export function wholeText(style: Style, { fraction, leftMs }: NonNullable<Step["whole"]>): string {
  const left = leftMs === undefined ? "" : `, about ${duration(leftMs)} left`;
  return `${barOf(style, fraction)} ${Math.floor(fraction * 100)} %${left}`;
}

function stepLeftMs(step: Step, perMs: number, tookMs: number): number | undefined {
  const { doneBytes = 0, totalBytes = 0 } = step;
  // The first half second says nothing about the rest.
  return tookMs < 500 || perMs === 0 ? undefined : (totalBytes - doneBytes) / perMs;
}
