/** The Settings page while both services are down: it explains and starts them; in every look. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { devicePaths } from "../../device/paths.ts";
import {
  hasBrowser,
  lookAt,
  openBrowser,
  openPage,
  PATIENCE_MS,
  settingsParts,
} from "../support/browser.ts";
import { type SettingsDevice, settingsDevice } from "../support/settingsDevice.ts";

describe.skipIf(!hasBrowser)("the Settings page while both services are down", () => {
  let device: SettingsDevice;
  let browser: Browser;
  beforeAll(async () => {
    [device, browser] = await Promise.all([settingsDevice(), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await device?.close();
  });

  it.each([
    ["phone", { viewport: { width: 360, height: 740 } }],
    ["dark", { colorScheme: "dark" }],
    ["high-contrast", { forcedColors: "active" }],
    ["german", { locale: "de-DE", timezoneId: "Europe/Berlin" }],
  ] as const)("is whole and open to everybody: %s", async (name, options) => {
    const { page } = await openPage(browser, options);
    const { state } = settingsParts(() => page);
    await page.goto(await device.link());
    await state("manager-stopped").waitFor();
    await lookAt(page, name);
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    await page.context().close();
  });

  it("changes nothing for whoever may only look", async () => {
    const { page } = await openPage(browser);
    await page.goto(await device.link("read"));
    const start = settingsParts(() => page).button("Start the services");
    await start.waitFor();
    expect(await start.isDisabled()).toBe(true);
    await lookAt(page, "read-only");
    await page.context().close();
  });

  it("finds out live what is wrong, and starts the services with the keyboard alone", async () => {
    const { page, complaints } = await openPage(browser);
    const { state, button, go } = settingsParts(() => page);
    await page.goto(await device.link());
    await state("manager-stopped").waitFor();
    await go("Troubleshoot");
    await button("Look for problems").click();
    await page.locator("[data-testid=finding][data-cause=manager-stopped]").waitFor();
    await lookAt(page, "troubleshoot");
    await go("Update");
    await button("Start the services").focus();
    await page.keyboard.press("Enter");
    await state("never-checked").or(state("up-to-date")).waitFor();
    // It outlives the page's process; the test has to end it.
    const pidFile = join(devicePaths(device.root).managerState, "instance.pid");
    process.kill(Number(readFileSync(pidFile, "utf8")), "SIGTERM");
    await state("manager-stopped").waitFor({ timeout: PATIENCE_MS });
    expect(complaints.filter((text) => !text.includes("503"))).toEqual([]);
  });
});
