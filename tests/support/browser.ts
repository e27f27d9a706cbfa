/**
 * Debian's Chromium under playwright-core. Pictures of what a test saw are kept in `.upbeat/screens`
 * for people to look at.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PROGRAM = process.env.CHROMIUM_PATH ?? PROGRAMS.find((path) => existsSync(path));

/** CI refuses to go on without it (`bin/setup.cjs`). */
export const hasBrowser = PROGRAM !== undefined;

export const SCREENS = join(import.meta.dirname, "../../.upbeat/screens");

/** On a loaded machine a page takes seconds to do what takes milliseconds on a free one. */
export const PATIENCE_MS = 30_000;

export async function openBrowser(): Promise<Browser> {
  if (PROGRAM === undefined) throw new Error("there is no Chromium");
  return await chromium.launch({
    executablePath: PROGRAM,
    args: [
      "--no-sandbox", // tests may run as root, under which its sandbox cannot
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface OpenPage {
  readonly page: Page;
  /** Every address that it asked for. */
  readonly requests: string[];
  /** What the browser complained about: errors of scripts, refusals by the page's own policy. */
  readonly complaints: string[];
}

export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: 1100, height: 800 },
    locale: "en-GB",
    // What moves would be looked at half way.
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, requests, complaints };
}

/** What tests of the Settings page look for. */
export function settingsParts(page: () => Page) {
  return {
    state: (kind: string) => page().locator(`[data-testid=state][data-state=${kind}]`),
    button: (name: string) => page().getByRole("button", { name, exact: true }),
    go: (name: string) =>
      page().getByRole("navigation").getByRole("link", { name, exact: true }).click(),
    setting: (key: string) => page().locator(`[data-testid=setting][data-key=${key}]`),
  };
}

/** Keeps a picture, and makes sure that axe finds nothing that keeps people out (WCAG 2.2 AA). */
export async function lookAt(page: Page, name: string): Promise<void> {
  await keepPicture(page, name);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  await expectAccessible(new AxeBuilder({ page }).withTags(tags));
}

/** For a page that was looked at before in other colours. */
export async function lookAtColours(page: Page, name: string): Promise<void> {
  await keepPicture(page, name);
  await expectAccessible(new AxeBuilder({ page }).withRules(["color-contrast"]));
}

export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`), fullPage: true });
}

async function expectAccessible(axe: AxeBuilder): Promise<void> {
  const { violations } = await axe
    // Fluent's focus traps: focusable on purpose, and left at once.
    .exclude("[data-tabster-dummy]")
    .analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`,
  );
  expect(found).toEqual([]);
}
