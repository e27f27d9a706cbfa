/**
 * The words of the header in plain elements, until React has put the whole page there: a person sees
 * how the machine is while most of a megabyte of script is still being read.
 */
import i18next from "i18next";
import { chosenAppearance } from "../../kit/appearance.ts";
import type { OpenPage } from "../session.ts";
import { headerState } from "./state.ts";
import { headerWords } from "./words.ts";

let painted: HTMLElement | undefined;
let isOver = false;

/** On the first page only; the others have nothing to say that soon. */
export function paintFirst({ device }: OpenPage): void {
  if (location.pathname !== "/") return;
  const paint = (): void => {
    const { value } = device.current();
    if (value.state === "loading") return;
    stop();
    if (isOver) return;
    const nowMs = Date.now();
    const { t, language } = i18next;
    const { title, sentence } = headerWords(headerState(value, nowMs), { t, language, nowMs });
    painted = words(t("page.home"), title, sentence);
    painted.className = `first first-${chosenAppearance()}`;
    document.body.prepend(painted);
  };
  const stop = device.subscribe(paint);
  paint();
}

/** The page itself stands there now. */
export function endFirstPaint(): void {
  isOver = true;
  painted?.remove();
}

function words(heading: string, title: string, sentence: string): HTMLElement {
  const main = document.createElement("main");
  const lines = [
    ["h1", heading],
    ["h2", title],
    ["p", sentence],
  ] as const;
  for (const [name, text] of lines) {
    const line = document.createElement(name);
    line.textContent = text;
    main.append(line);
  }
  return main;
}
