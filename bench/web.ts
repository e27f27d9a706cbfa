/**
 * `npm run bench -- web`: how large the Settings page's script is, and how soon a person sees
 * something useful: from the navigation to the state of the machine on the screen, in Chromium, each
 * time in a fresh profile, with the real process behind it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { openBrowser, openPage, settingsParts } from "../tests/support/browser.ts";
import { settingsDevice } from "../tests/support/settingsDevice.ts";
import { buildPages, builtFolder } from "../web/build.ts";
import { atMost, type Bench, median } from "./bench.ts";

const ROUNDS = 7;
const SCRIPT_GOAL_KB = 300;
const PAINT_GOAL_MS = 1_000;

export const webBench: Bench = {
  name: "web",
  describe: "size of the Settings page, and time to its first useful paint",
  async run() {
    await buildPages();
    const script = scriptSizes();
    const paintsMs = await firstPaints();
    const paintMs = median(paintsMs);
    return {
      figures: {
        scriptBytes: script.plain,
        scriptGzipBytes: script.gzip,
        scriptBrotliBytes: script.brotli,
        firstUsefulPaintMs: Math.round(paintMs),
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
            ["first useful paint, ms, each round", paintsMs.map(Math.round).join(" ")],
          ],
        },
      ],
    };
  },
};

function scriptSizes(): { plain: number; gzip: number; brotli: number } {
  const folder = join(builtFolder("settings"), "assets");
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

async function firstPaints(): Promise<number[]> {
  const device = await settingsDevice();
  const browser = await openBrowser();
  try {
    const paintsMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { page } = await openPage(browser);
      const link = await device.link();
      const startMs = performance.now();
      await page.goto(link, { waitUntil: "commit" });
      await settingsParts(() => page)
        .state("manager-stopped")
        .waitFor();
      paintsMs.push(performance.now() - startMs);
      await page.context().close();
    }
    return paintsMs;
  } finally {
    await browser.close();
    await device.close();
  }
}
