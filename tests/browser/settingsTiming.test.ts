/** What the Settings page shows of time and policy: restarts, pauses, waiting, who decided, why not. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changeSettings } from "../../device/deviceCalls.ts";
import {
  hasBrowser,
  lookAt,
  type OpenPage,
  openBrowser,
  openPage,
  PATIENCE_MS,
  settingsParts,
} from "../support/browser.ts";
import { type Surroundings, surroundings } from "../support/deviceSurroundings.ts";
import { type SettingsDevice, settingsDevice } from "../support/settingsDevice.ts";

describe.skipIf(!hasBrowser)("the Settings page of a machine", () => {
  let device: SettingsDevice;
  let around: Surroundings;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;
  const { state, button, go, setting } = settingsParts(() => page);

  beforeAll(async () => {
    [device, browser] = await Promise.all([settingsDevice(), openBrowser()]);
    around = surroundings(device.root);
    around.boot("one");
    await device.startManager();
    open = await openPage(browser);
    page = open.page;
    await page.goto(await device.link());
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await device?.close();
  });

  const check = async () => {
    await go("Update");
    await button("Check for updates").click();
  };

  it("pauses until a day and goes on again", async () => {
    await button("Pause for 1 week").click();
    await state("paused").waitFor();
    await lookAt(page, "paused");
    await button("Resume updates").click();
    await state("paused").waitFor({ state: "detached" });
  });

  it("answers why an update does not come, with the reason that the administrator gave", async () => {
    await device.publish("1.0.0");
    await device.upbeat(
      ...["holds", "add", "kiosk", "--id", "H-display"],
      ...["--text", "The display stays dark on this model."],
    );
    await check();
    await page.getByTestId("not-offered").waitFor();
    await lookAt(page, "not-offered");
    await page.getByRole("link", { name: "Why?" }).click();
    await page.getByTestId("why").getByText("The display stays dark").waitFor();
    await lookAt(page, "why");
    await device.upbeat("holds", "lift", "H-display");
  });

  it("says what an update waits for", async () => {
    around.network("metered");
    await changeSettings(device.root, { set: {}, unset: ["download"] });
    await check();
    await state("waiting").waitFor();
    await lookAt(page, "waiting");
    rmSync(join(device.root, "usr/bin/nmcli"));
    await changeSettings(device.root, { set: { download: "ask" }, unset: [] });
    await button("Install now").click();
    await state("up-to-date").waitFor();
  });

  it("asks for a restart, says when it comes, and restarts when it is told to", async () => {
    const proof = around.restartLeaves();
    await device.publish("2.0.0", { args: ["--restart", "always"] });
    await check();
    await state("available").waitFor();
    await button("Download and install").click();
    await state("restart-required").waitFor();
    await page.getByTestId("restart").waitFor();
    await lookAt(page, "restart-required");
    await button("Tonight at ten").click();
    await page.locator("[data-testid=restart][data-mode=chosen]").waitFor();
    await changeSettings(device.root, { set: {}, unset: ["restart"] });
    await button("Restart now").click();
    await expect.poll(() => existsSync(proof), { timeout: PATIENCE_MS }).toBe(true);
  });

  it("shows every setting with who set it, and locks those that an administrator set", async () => {
    await go("Advanced options");
    await setting("downloadOnMetered").getByRole("switch").click();
    await expect.poll(() => setting("downloadOnMetered").getAttribute("data-set-by")).toBe("user");
    await button("Reset: Download over metered networks").click();
    await expect
      .poll(() => setting("downloadOnMetered").getAttribute("data-set-by"))
      .toBe("default");
    // As the policy of the machine: the administrator's file is written.
    await page.getByLabel("Change the policy of this machine").click();
    await setting("install").getByRole("combobox").selectOption("ask");
    await expect.poll(() => setting("install").getAttribute("data-set-by")).toBe("admin");
    await page.getByLabel("Change the policy of this machine").click();
    expect(await setting("install").getByRole("combobox").isDisabled()).toBe(true);
    await lookAt(page, "advanced-managed");
    await go("Update");
    await page.getByTestId("managed").waitFor();
  });

  it("gave the browser nothing to complain about", () => {
    expect(open.complaints).toEqual([]);
  });
});
