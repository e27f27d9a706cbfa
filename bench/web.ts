/**
 * `npm run bench -- web`: how large the scripts of the Settings page and of the admin console are, and how soon a person sees
 * something useful: from the navigation to the state of the machine on the screen, and to the first
 * button that can be used, in Chromium, each time in a fresh profile, with the real process behind it.
 * The page's own clock is read when the browser has painted, not when a test has heard of it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { openBrowser, openPage, PATIENCE_MS } from "../tests/support/browser.ts";
import { settingsDevice } from "../tests/support/settingsDevice.ts";
import { buildPages, builtFolder } from "../web/build.ts";
import { atMost, type Bench, median } from "./bench.ts";

const ROUNDS = 7;
const SCRIPT_GOAL_KB = 300;
const PAINT_GOAL_MS = 1_000;

export const webBench: Bench = {
  name: "web",
  describe: "size of both web applications, and time to the Settings page's first useful paint",
  async run() {
    await buildPages();
    const script = scriptSizes("settings");
    const console = scriptSizes("admin");
    const rounds = await firstPaints();
    const paintMs = median(rounds.map(({ usefulMs }) => usefulMs));
    const usableMs = median(rounds.map((round) => round.usableMs));
    return {
      figures: {
        scriptBytes: script.plain,
        scriptGzipBytes: script.gzip,
        scriptBrotliBytes: script.brotli,
        consoleScriptBytes: console.plain,
        consoleScriptGzipBytes: console.gzip,
        consoleScriptBrotliBytes: console.brotli,
        firstUsefulPaintMs: Math.round(paintMs),
        usableMs: Math.round(usableMs),
      },
      goals: [
        atMost(
          "compressed script of the Settings page, kB (gzip)",
          script.gzip / 1000,
          SCRIPT_GOAL_KB,
        ),
        atMost("first useful paint, ms", paintMs, PAINT_GOAL_MS),
      ],
      tables: [
        {
          title: "Settings page",
          header: ["what", "value"],
          rows: [
            ["script, kB", Math.round(script.plain / 1000)],
            ["script, gzip, kB", Math.round(script.gzip / 1000)],
            ["script, brotli, kB", Math.round(script.brotli / 1000)],
            ["first useful paint, ms, each round", each(rounds.map(({ usefulMs }) => usefulMs))],
            ["first button to use, ms, each round", each(rounds.map((round) => round.usableMs))],
          ],
        },
        {
          title: "Admin console, all pages",
          header: ["what", "value"],
          rows: [
            ["script, kB", Math.round(console.plain / 1000)],
            ["script, gzip, kB", Math.round(console.gzip / 1000)],
            ["script, brotli, kB", Math.round(console.brotli / 1000)],
          ],
        },
      ],
    };
  },
};

function scriptSizes(application: "settings" | "admin"): {
  plain: number;
  gzip: number;
  brotli: number;
} {
  const folder = join(builtFolder(application), "assets");
  const scripts = readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .map((name) => readFileSync(join(folder, name)));
  const sum = (size: (script: Buffer) => number) =>
    scripts.reduce((total, script) => total + size(script), 0);
  return {
    plain: sum((script) => script.length),
    gzip: sum((script) => gzipSync(script, { level: 9 }).length),
    brotli: sum((script) => brotliCompressSync(script).length),
  };
}

interface Round {
  /** The state of the machine in words. */
  readonly usefulMs: number;
  /** The header's button. */
  readonly usableMs: number;
}

const each = (all: number[]): string => all.map(Math.round).join(" ");

async function firstPaints(): Promise<Round[]> {
  const device = await settingsDevice();
  const browser = await openBrowser();
  try {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { page } = await openPage(browser);
      await page.addInitScript(WATCH);
      await page.goto(await device.link(), { waitUntil: "commit" });
      await page.locator("[data-state=manager-stopped] button:enabled").waitFor();
      rounds.push(await painted(page));
      await page.context().close();
    }
    return rounds;
  } finally {
    await browser.close();
    await device.close();
  }
}

/** Once the frame is painted in which the button came. */
async function painted(page: Page): Promise<Round> {
  for (const untilMs = performance.now() + PATIENCE_MS; performance.now() < untilMs; ) {
    const round = await page.evaluate<Partial<Round>>("globalThis.painted");
    const { usefulMs, usableMs } = round;
    if (usefulMs && usableMs) return { usefulMs, usableMs };
  }
  throw new Error("the page is never painted");
}

/** In the page: after the frame in which each was first there, milliseconds since the navigation. */
const WATCH = `
  globalThis.painted = {};
  const WANTED = {
    usefulMs: "main.first, [data-state=manager-stopped]",
    usableMs: "[data-state=manager-stopped] button:enabled",
  };
  const look = () => {
    for (const [name, selector] of Object.entries(WANTED)) {
      if (painted[name] !== undefined || document.querySelector(selector) === null) continue;
      painted[name] = null;
      // The callback of a frame comes before it is painted, a message after it.
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => { painted[name] = performance.now(); };
        channel.port2.postMessage(undefined);
      });
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
`;
