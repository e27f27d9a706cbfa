import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  hasBrowser,
  lookAt,
  type OpenPage,
  openBrowser,
  openPage,
  settingsParts,
} from "../support/browser.ts";
import { type SettingsDevice, settingsDevice } from "../support/settingsDevice.ts";

describe.skipIf(!hasBrowser)("the Settings page of a machine", () => {
  let device: SettingsDevice;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;
  const { state, button, go } = settingsParts(() => page);

  beforeAll(async () => {
    [device, browser] = await Promise.all([settingsDevice(), openBrowser()]);
    open = await openPage(browser);
    page = open.page;
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await device?.close();
  });

  it("opens while both services are down, and says so", async () => {
    await page.goto(await device.link());
    await state("manager-stopped").waitFor();
    await lookAt(page, "service-not-running");
    expect(page.url()).not.toContain("open="); // the link's token is gone from the address
  });

  it("says that it is up to date, and when it last looked", async () => {
    await device.startManager();
    await button("Check for updates").click();
    await state("up-to-date").waitFor();
    await lookAt(page, "up-to-date");
  });

  it("shows that it is checking while the server takes its time", async () => {
    device.proxy.hold(/timestamp/);
    await button("Check for updates").click();
    await state("checking").waitFor();
    await lookAt(page, "checking");
    device.proxy.release();
    await state("up-to-date").waitFor();
  });

  it("offers what was published, with size and what it changes", async () => {
    await device.publish("1.0.0", { health: "waits" });
    await button("Check for updates").click();
    await state("available").waitFor();
    await lookAt(page, "available");
  });

  it("shows one bar while it downloads and installs, also after the page is loaded again", async () => {
    device.proxy.hold(/content/);
    await button("Download and install").click();
    await state("working").waitFor();
    await page.getByRole("heading", { name: "Downloading updates …" }).waitFor();
    await page.getByTestId("progress").waitFor();
    await lookAt(page, "downloading");
    await page.reload();
    await state("working").waitFor();
    device.proxy.release();
    await page.getByText("checking its health").first().waitFor();
    await lookAt(page, "installing");
    device.letThrough();
    await state("up-to-date").waitFor();
  });

  it("undoes an update that is not healthy and says why", async () => {
    await device.publish("1.1.0", { health: "bad" });
    await button("Check for updates").click();
    await state("available").waitFor();
    await button("Download and install").click();
    await state("rolled-back").waitFor();
    await lookAt(page, "rolled-back");
  });

  it("says that the server is away, and that what is there goes on", async () => {
    device.proxy.isDown = true;
    await button("Check for updates").click();
    await state("offline").waitFor();
    await lookAt(page, "offline");
    device.proxy.isDown = false;
  });

  it("shows history, services and logs", async () => {
    await go("Update history");
    await page.getByTestId("history-entry").first().waitFor();
    await lookAt(page, "history");
    await go("Services");
    await page.getByTestId("service").nth(1).waitFor();
    await lookAt(page, "services");
    await go("Logs");
    await page.getByTestId("log").waitFor();
    await lookAt(page, "logs");
  });

  it("asked nobody but its own process, and the browser had nothing to complain about", () => {
    const hosts = new Set(
      open.requests.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).hostname),
    );
    expect([...hosts]).toEqual(["127.0.0.1"]);
    expect(open.complaints).toEqual([]);
  });
});
