/** What a person does on the Settings page, each with the mouse or the keyboard, on a real machine. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  actOnService,
  effectivePolicy,
  inhibitRestart,
  listServices,
} from "../../device/deviceCalls.ts";
import { devicePaths } from "../../device/paths.ts";
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

/** Many pages, each looked at by axe. */
const SLOW = { timeout: 180_000 };

describe.skipIf(!hasBrowser)("on the Settings page of a machine", () => {
  let device: SettingsDevice;
  let around: Surroundings;
  let browser: Browser;
  let open: OpenPage;
  let page: Page;
  const { state, button, go, setting } = settingsParts(() => page);
  const service = (name: string) => page.locator(`[data-testid=service][data-service=${name}]`);

  beforeAll(async () => {
    [device, browser] = await Promise.all([settingsDevice(), openBrowser()]);
    around = surroundings(device.root);
    around.boot("one");
    around.restartLeaves();
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
  const updateServicePid = async (): Promise<number> => {
    const found = (await listServices(device.root)).find(({ name }) => name === "update-service");
    return found?.state === "running" ? (found.pid ?? 0) : 0;
  };
  const inForce = async (key: string): Promise<unknown> =>
    (await effectivePolicy(device.root)).settings.find((one) => one.key === key)?.value;

  it("what failed says its code, why and what to do, and is tried again", async () => {
    const notes = join(device.root, "notes.md");
    writeFileSync(notes, "The clock is right again.\n");
    await device.publish("1.0.0", { args: ["--notes-file", notes] });
    await check();
    await state("available").waitFor();
    await page.getByRole("button", { name: "What it changes" }).click();
    await page.getByText("The clock is right again.").waitFor();
    device.proxy.refuse(/content/);
    await button("Download and install").click();
    await state("failed").waitFor();
    const card = page.getByTestId("error").first();
    expect(await card.getAttribute("data-code")).toBe("UPB-FETCH-REFUSED");
    await button("Details").first().click();
    await card.getByText("Usual causes").waitFor();
    await lookAt(page, "failed");
    device.proxy.release();
    await button("Try again").click();
    await state("up-to-date").waitFor();
  });

  it("what the server's administrator decided is locked and names its policy", async () => {
    await device.upbeat("policy", "set", "--entry", "P-quiet", "notices=restarts");
    // To its end; with nothing to offer it says so by its exit code.
    await device.upbeat("check").catch(() => undefined);
    await go("Advanced options");
    await expect.poll(() => setting("notices").getAttribute("data-set-by")).toBe("server");
    await setting("notices").getByText("P-quiet").waitFor();
    expect(await setting("notices").getByRole("combobox").isDisabled()).toBe(true);
    await lookAt(page, "advanced-managed-by-server");
  });

  it("optional updates are listed apart and come when they are asked for", async () => {
    await device.upbeat("rollouts", "create", "kiosk@1.1.0", "--optional");
    await device.publish("1.1.0");
    await check();
    await page.getByRole("heading", { name: "Optional updates" }).waitFor();
    await state("up-to-date").waitFor();
    // From the install before.
    await page.getByTestId("update").getByText("installs here in about").waitFor();
    await lookAt(page, "optional");
    await button("Install Kiosk 1.1.0").click();
    await page.getByRole("heading", { name: "Optional updates" }).waitFor({ state: "detached" });
    await state("up-to-date").waitFor();
  });

  it("an update is undone and a product uninstalled with the keyboard, each after a question", async () => {
    await go("Update history");
    const back = button("Go back to kiosk 1.0.0");
    await back.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await lookAt(page, "undo");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    // Who closes a dialog goes on where they were.
    await expect
      .poll(() => page.evaluate("document.activeElement?.ariaLabel"))
      .toBe("Go back to kiosk 1.0.0");
    await page.keyboard.press("Enter");
    await dialog.getByRole("button", { name: "Go back", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("installed").getByText("kiosk 1.0.0").waitFor();
    await button("Uninstall kiosk").click();
    await dialog.waitFor();
    await lookAt(page, "uninstall");
    await dialog.getByRole("button", { name: "Uninstall", exact: true }).click();
    await page.getByText("Nothing is installed.").waitFor();
    await dialog.waitFor({ state: "detached" });
    await lookAt(page, "history-whole");
  });

  it("pauses until the end of a day that is picked", async () => {
    await go("Update");
    const day = new Date(Date.now() + 3 * 86_400_000).toLocaleDateString("sv-SE");
    await page.getByLabel("Until the end of").fill(day);
    await button("Pause until then").click();
    await state("paused").waitFor();
    const pause = await inForce("pause");
    expect(pause).toMatchObject({ until: new Date(`${day}T23:59`).toISOString() });
    await button("Resume updates").click();
    await state("paused").waitFor({ state: "detached" });
  });

  it("a service that crashes is started from the first page before its time", async () => {
    // Twice, because the first time it comes back after a second (the design's service recovery).
    const first = await updateServicePid();
    process.kill(first, "SIGKILL");
    await expect.poll(updateServicePid, { timeout: PATIENCE_MS }).not.toBeOneOf([0, first]);
    process.kill(await updateServicePid(), "SIGKILL");
    await state("update-service-stopped").waitFor();
    await lookAt(page, "update-service-not-running");
    await button("Start the service").click();
    await state("update-service-stopped").waitFor({ state: "detached" });
  });

  it("services are stopped with what needs them, disabled, and allowed again", async () => {
    await go("Services");
    const choose = async (what: string) => {
      await button("More for: Update service").click();
      await page.getByRole("menuitem", { name: what, exact: true }).click();
    };
    await choose("Stop");
    await service("update-service").getByText("Stopped").waitFor();
    await service("orchestrator").getByText("Stopped").waitFor();
    await choose("Start-up: disabled");
    await service("update-service").getByText("Disabled").waitFor();
    await button("Start: Update orchestrator").click();
    await page.locator("[data-testid=error][data-code=UPB-SERVICE-DISABLED]").waitFor();
    await lookAt(page, "service-disabled");
    await choose("Start-up: automatic");
    await service("update-service").getByText("Running").waitFor();
    await go("Update");
    await state("orchestrator-stopped").waitFor();
    await button("Start the service").click();
    await state("orchestrator-stopped").waitFor({ state: "detached" });
    await go("Services");
    const before = await updateServicePid();
    await button("Restart: Update service").click();
    await expect.poll(updateServicePid, { timeout: PATIENCE_MS }).not.toBeOneOf([0, before]);
    await service("orchestrator").getByText("Running").waitFor();
  });

  it("logs are read in words, filtered, and saved", async () => {
    await service("orchestrator").getByRole("link", { name: "Read its log" }).click();
    await page.getByTestId("log").getByRole("listitem").nth(1).waitFor();
    await page.getByLabel("Contains").fill("no line says this");
    await page.getByText("No such lines.").waitFor();
    await page.getByLabel("Contains").fill("");
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      button("Save as a file").click(),
    ]);
    expect(saved.suggestedFilename()).toBe("upbeat-orchestrator.log");
    expect(readFileSync(await saved.path(), "utf8")).toContain('"msg"');
  });

  it("the troubleshooter repairs, proves it, and takes it back", async () => {
    await actOnService(device.root, "orchestrator", "disable");
    await go("Troubleshoot");
    await page.getByLabel("Repair what can be repaired").click();
    await button("Look and repair").click();
    await page.getByTestId("checks").getByRole("listitem").first().waitFor();
    const found = page.locator("[data-testid=finding][data-cause=service-disabled]");
    await found.getByText("Repaired, and tried again").waitFor({ timeout: 2 * PATIENCE_MS });
    await lookAt(page, "repaired");
    await button("Take the repairs back").click();
    await page.getByTestId("undone").waitFor();
    await go("Update");
    await state("orchestrator-stopped").waitFor();
    await lookAt(page, "orchestrator-not-running");
    await actOnService(device.root, "orchestrator", "enable");
    await state("orchestrator-stopped").waitFor({ state: "detached" });
  });

  it("an administrator sets time zone, maintenance windows and pins as the policy of the machine", async () => {
    await go("Advanced options");
    await page.getByLabel("Change the policy of this machine").click();
    await setting("timeZone").getByRole("combobox").selectOption("Europe/Berlin");
    await expect.poll(() => inForce("timeZone")).toBe("Europe/Berlin");
    await button("Add a window").click();
    await setting("maintenanceWindows").getByLabel("How often").selectOption("weekly");
    await button("Set: Maintenance windows").click();
    await expect
      .poll(() => inForce("maintenanceWindows"))
      .toMatchObject([
        { durationMinutes: 180, rule: expect.stringMatching(/^FREQ=WEEKLY;BYDAY=/) },
      ]);
    await button("Pin a product").click();
    await setting("targetVersions").getByLabel("Product").fill("kiosk");
    await setting("targetVersions").getByLabel("At most version").fill("2.0.0");
    await button("Set: Highest versions").click();
    await expect.poll(() => inForce("targetVersions")).toEqual({ kiosk: "2.0.0" });
    await lookAt(page, "advanced-policy");
    for (const name of ["Time zone", "Maintenance windows", "Highest versions"])
      await button(`Reset: ${name}`).click();
    await expect.poll(() => inForce("targetVersions")).toEqual({});
    await page.getByLabel("Change the policy of this machine").click();
  });

  it("what another updater has is shown and installed", async () => {
    const folder = join(devicePaths(device.root).providersFolder, "firmware");
    const flashed = join(device.root, "flashed");
    const update = { id: "bios", title: "System firmware", version: "1.9", sizeBytes: 4_000_000 };
    mkdirSync(folder, { recursive: true });
    const program = (verb: string, body: string) => {
      writeFileSync(join(folder, verb), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, verb), 0o755);
    };
    const list = (updates: object[]) => `echo '${JSON.stringify({ updates })}'`;
    program("scan", `if [ -e ${flashed} ]; then ${list([])}; else ${list([update])}; fi`);
    program("install", `cat > ${flashed}`);
    await check();
    const shown = page.locator("[data-testid=provider][data-provider=firmware]");
    await shown.waitFor();
    await shown.getByRole("button", { name: "Its updates" }).click();
    await shown.getByText("System firmware").waitFor();
    await lookAt(page, "provider");
    await button("Install firmware").click();
    await shown.waitFor({ state: "detached" });
    expect(existsSync(flashed)).toBe(true);
  });

  it("a restart is put off, says who objects, and warns when it is near", async () => {
    await device.publish("2.0.0", { args: ["--restart", "always"] });
    await check();
    await state("available").waitFor();
    await button("Download and install").click();
    await state("restart-required").waitFor();
    await inhibitRestart(device.root, {
      who: "editor",
      why: "a letter is not saved",
      forMs: 600_000,
    });
    await page.getByText("editor objects: a letter is not saved").waitFor();
    const soon = new Date(Date.now() + 10 * 60_000);
    const local = new Date(soon.getTime() - soon.getTimezoneOffset() * 60_000);
    await page.getByLabel("Pick a time").fill(local.toISOString().slice(0, 16));
    await button("Restart then").click();
    await state("restarting-soon").waitFor();
    await lookAt(page, "restarting-soon");
    await button("Tonight at ten").click();
    await state("restart-required").waitFor();
    await button("Let the machine choose").click();
    await page.locator("[data-testid=restart][data-mode=chosen]").waitFor({ state: "detached" });
  });

  it.each([
    ["dark", { colorScheme: "dark" }],
    [
      "phone-german-high-contrast",
      { viewport: { width: 360, height: 740 }, locale: "de-DE", forcedColors: "active" },
    ],
  ] as const)("every page is whole and open to everybody: %s", SLOW, async (look, options) => {
    const { page: other, complaints } = await openPage(browser, options);
    await other.goto(await device.link());
    await other.locator("[data-testid=state]").waitFor();
    for (const path of [
      "/",
      "/history",
      "/advanced",
      "/why",
      "/services",
      "/troubleshoot",
      "/logs",
    ]) {
      await other.evaluate(
        `history.pushState(undefined, "", ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent("popstate"))`,
      );
      await other.locator("h1").waitFor();
      await other.locator("[role=progressbar]").waitFor({ state: "detached" });
      await lookAt(other, `${look}${path.replace("/", "-")}`);
      const overflow = await other.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, overflow]).toEqual([path, 0]);
    }
    expect(complaints).toEqual([]);
    await other.context().close();
  });

  it("the browser had nothing to complain about but what was refused", () => {
    expect(open.complaints.filter((text) => !/40[349]|503/.test(text))).toEqual([]);
  });
});
