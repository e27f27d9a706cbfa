/** The admin console in a real browser: what each page shows, and that its commands do what it says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  hasBrowser,
  keepPicture,
  lookAt,
  lookAtColours,
  type OpenPage,
  openBrowser,
  openPage,
} from "../support/browser.ts";
import {
  type ConsoleFleet,
  consoleFleet,
  consoleParts,
  shellWords,
} from "../support/consoleFleet.ts";

import { startServer } from "../support/serverProcess.ts";

/** Eleven pages in one test, on a machine that does other things too. */
const PAGES_PATIENCE_MS = 240_000;

describe.skipIf(!hasBrowser)("the admin console", () => {
  let fleet: ConsoleFleet;
  let browser: Browser;
  let opened: OpenPage;
  let page: Page;
  const { open, title, go, tab, part, row, button, command, signIn } = consoleParts(
    () => page,
    () => fleet.admin.server.url,
  );
  /** What the page says is run as it stands there; the page then shows what came of it, by itself. */
  const runCommand = async () => {
    const [program, ...args] = shellWords(await command());
    expect(program).toBe("upbeat");
    await fleet.admin.upbeat(...args);
  };

  beforeAll(async () => {
    [fleet, browser] = await Promise.all([consoleFleet(), openBrowser()]);
    opened = await openPage(browser, { viewport: { width: 1280, height: 900 } });
    page = opened.page;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await fleet?.close();
  });

  it("asks for the token, says when it is a wrong one, and opens the page that was asked for", async () => {
    await open("/devices?state=behind");
    await title("Sign in").waitFor();
    await signIn("wrong");
    await page.getByText("This is not the token of this server").waitFor();
    await lookAt(page, "console-sign-in");
    await signIn(fleet.admin.token);
    await title("Devices").waitFor();
    expect(page.url()).toContain("state=behind");
    expect(await page.evaluate("document.cookie")).toBe("");
  });

  it("counts the devices, and leads from a count to its devices", async () => {
    await go("Overview");
    const failing = page.locator("[data-testid=tile][data-state=failing]");
    await failing.getByText("1", { exact: true }).waitFor();
    await part("chart").first().waitFor();
    await part("failure").first().waitFor();
    await row("kiosk-1.2.0").waitFor();
    await lookAt(page, "console-overview");
    await button("Show as a table").first().click();
    await page.getByRole("columnheader", { name: "Up to date" }).waitFor();
    await failing.click();
    await row("canary-1").waitFor();
    expect(await part("row").count()).toBe(1);
  });

  it("finds, filters, sorts and pages devices", async () => {
    await button("Show all devices").click();
    await part("matching").getByText("53 devices").waitFor();
    await lookAt(page, "console-devices");
    expect(await part("row").count()).toBe(50);
    await button("Next page").click();
    await row("till-1").waitFor();
    await button("Previous page").click();
    await row("canary-1").waitFor();
    await button("Device").click();
    await row("till-1").waitFor();
    expect(await part("row").first().innerText()).toContain("till-1");
    await page.getByLabel("Search", { exact: true }).fill("till");
    await button("Search").click();
    await part("matching").getByText("1 device", { exact: true }).waitFor();
    await button("Show all devices").click();
    await page.getByLabel("Tag").selectOption("canary");
    await part("matching").getByText("1 device", { exact: true }).waitFor();
  });

  it("tells everything about one device: why not, facts, settings, and what happened", async () => {
    await row("canary-1").getByRole("link").click();
    await part("device").waitFor();
    await row("Kiosk 1.2").getByRole("link", { name: "Why?" }).click();
    await part("why").waitFor();
    await lookAt(page, "console-device");
    await tab("Facts");
    await row("tag.canary").waitFor();
    await lookAt(page, "console-device-facts");
    await tab("Settings");
    await row("download").first().waitFor();
    await lookAt(page, "console-device-settings");
    await tab("Timeline");
    await part("event").getByText("Undone").first().waitFor();
    await lookAt(page, "console-device-timeline");
  });

  it("shows the catalogue, and an update with its files, bytes and signatures", async () => {
    await go("Updates");
    await row("Kiosk 1.2").waitFor();
    expect(await row("Kiosk 1.0").count()).toBe(0);
    await page.getByLabel("Superseded and retired ones too").click();
    await row("Kiosk 1.0").waitFor();
    await lookAt(page, "console-updates");
    await row("Kiosk 1.1").getByRole("link", { name: "Kiosk 1.1" }).click();
    await page.getByText("The clock no longer stands still.").waitFor();
    await lookAt(page, "console-update");
    await tab("Files");
    await row("main.js").waitFor();
    await tab("Delivery");
    await page.getByText("Fetched by a device that has nothing").waitFor();
    await lookAt(page, "console-update-delivery");
    await tab("Signatures");
    await row("root").getByText("2 of 3").waitFor();
    await lookAt(page, "console-update-signatures");
  });

  it("answers who would get an update, and when", async () => {
    await tab("Who gets it, and when?");
    await page.getByLabel("Name or id of a device").fill("till-1");
    await button("Find").click();
    await button("till-1").click();
    await page.locator("[data-testid=when][data-outcome=later]").waitFor();
    await button("Work it out").click();
    await part("audience").waitFor();
    await lookAt(page, "console-audience");
  });

  it("shows a rollout against its plan, and what its commands do, live", async () => {
    await go("Rollouts");
    await row("kiosk-1.1.0").getByRole("link").click();
    await page.locator("[data-testid=rollout][data-state=running]").waitFor();
    await part("chart").nth(1).waitFor();
    await lookAt(page, "console-rollout");
    const act = async (action: string, state: string, fill?: () => Promise<void>) => {
      await button(action).click();
      await fill?.();
      await runCommand();
      // The dialog goes with the action, as soon as that means nothing any more.
      await page.locator(`[data-testid=rollout][data-state=${state}]`).waitFor();
    };
    await act("Pause", "paused", async () => {
      await page.getByLabel("Why").fill("It's Black Friday; nothing new");
    });
    await page.getByText("It's Black Friday; nothing new").waitFor();
    await act("Resume", "running");
    await button("Halt").click();
    await lookAt(page, "console-halt");
    await page.keyboard.press("Escape");
    await act("Halt", "halted");
    await act("Resume", "running");
    await act("Expedite", "running", async () => {
      await page.getByLabel("Days from the offer to the deadline").fill("2");
    });
    await page.getByText("Expedited").first().waitFor();
    // Its own report is on the chart without anybody asking.
    await fleet.till.change({ kind: "check", full: false });
    await fleet.till.change({ kind: "install" });
    await part("facts")
      .locator("div", { hasText: /^Installed2$/ })
      .waitFor();
  });

  it("makes a rollout", async () => {
    await open("/rollouts/new?update=kiosk@1.2.0");
    await title("Create a rollout").waitFor();
    await page.getByLabel("Devices, e.g.").first().fill("tag.lab");
    await lookAt(page, "console-new-rollout");
    expect(shellWords(await command()).slice(0, 6)).toEqual([
      "upbeat",
      "rollouts",
      "create",
      "kiosk@1.2.0",
      "--ring",
      "canary who=tag.lab",
    ]);
  });

  it("holds an update and lifts the hold", async () => {
    await go("Holds and approvals");
    await row("H-display").waitFor();
    await lookAt(page, "console-holds");
    await button("Add a hold").click();
    await page.getByRole("dialog").getByLabel("Updates").fill("kiosk@1.1.0");
    await page.getByRole("dialog").getByLabel("What is wrong").fill("The drawer jams");
    await lookAt(page, "console-new-hold");
    await runCommand();
    await button("Close").click();
    await row("The drawer jams").waitFor();
    await button("Lift: H-display").click();
    await runCommand();
    await row("H-display").waitFor({ state: "detached" });
  });

  it("leads through publishing to a command that publishes", async () => {
    await go("Publish");
    await page.getByTestId("missing").waitFor();
    await page.getByLabel("Folder").fill(`${fleet.admin.folder}/builds/kiosk-1.0.0`);
    await page.getByRole("combobox", { name: "Product", exact: true }).fill("kiosk");
    await page.getByText("The newest is 1.2.0").waitFor();
    await page.getByRole("textbox", { name: "Version", exact: true }).fill("1.3.0");
    await page.getByLabel("Title").fill("Kiosk 1.3, the “quiet” one");
    await page.getByLabel("Class").selectOption("critical");
    await lookAt(page, "console-publish");
    await runCommand();
    await go("Updates");
    await row("the “quiet” one").getByText("Critical").waitFor();
  });

  it("shows who may sign, and until when it counts", async () => {
    await go("Keys and metadata");
    await row("targets").waitFor();
    await lookAt(page, "console-keys");
    await button("Sign again before it expires").click();
    await runCommand();
    await button("Close").click();
  });

  it("lets another device in", async () => {
    await go("Devices");
    await button("Add a device").click();
    await button("Make a token for one device").click();
    expect(await command()).toMatch(/^sudo upbeat device enrol http\S+ --token upbeat-token\./);
  });

  const everyPage = () => ({
    overview: "/",
    updates: "/updates",
    update: "/updates/stable/kiosk/1.1.0",
    rollouts: "/rollouts",
    rollout: "/rollouts/stable/kiosk-1.1.0",
    "new-rollout": "/rollouts/new",
    devices: "/devices?q=canary",
    device: `/devices/${fleet.canary.config.deviceId}?tab=timeline`,
    holds: "/holds",
    publish: "/publish",
    keys: "/keys",
  });
  /** Every page in another browser, signed in as this one is. */
  const throughPages = async (
    options: BrowserContextOptions,
    look: (page: Page, name: string) => Promise<void>,
  ) => {
    const storageState = await page.context().storageState();
    const { page: other, complaints } = await openPage(browser, { ...options, storageState });
    for (const [name, path] of Object.entries(everyPage())) {
      await other.goto(`${fleet.admin.server.url}/admin${path}`);
      await other.getByRole("heading", { level: 1 }).waitFor();
      await other
        .getByRole("progressbar", { name: /moment|Moment/ })
        .waitFor({ state: "detached" });
      await look(other, name);
    }
    expect(complaints).toEqual([]);
    await other.context().close();
  };

  it(
    "has enough contrast in the dark, on every page",
    async () => {
      await throughPages({ colorScheme: "dark" }, async (other, name) => {
        await lookAtColours(other, `console-dark-${name}`);
      });
    },
    PAGES_PATIENCE_MS,
  );

  it(
    "is whole on a phone, in German and high contrast, on every page",
    async () => {
      const german = {
        viewport: { width: 360, height: 740 },
        locale: "de-DE",
        timezoneId: "Europe/Berlin",
        forcedColors: "active",
      } as const;
      await throughPages(german, async (other, name) => {
        await keepPicture(other, `console-phone-${name}`);
        const overflow = await other.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect([name, overflow]).toEqual([name, 0]);
        // The key of a message stands where its words are missing.
        const words = await other.locator("body").innerText();
        expect(words).not.toMatch(
          /\b(?:page|overview|devices?|rollouts?|updates?|keys|holds)\.[a-z]+[A-Z]?\w*\b(?!\.)/,
        );
        expect(await other.evaluate("document.documentElement.lang")).toBe("de");
      });
    },
    PAGES_PATIENCE_MS,
  );

  it("says that the server is away, and goes on by itself when it is back", async () => {
    await go("Overview");
    await part("chart").first().waitFor();
    const { port } = new URL(fleet.admin.server.url);
    await fleet.admin.server.stop();
    await part("disconnected").waitFor();
    await lookAt(page, "console-disconnected");
    const data = `${fleet.admin.folder}/data`;
    fleet.admin.server = await startServer(data, "--port", port);
    // Sessions end with the server: whoever looks is asked again, and is back where they were.
    await title("Sign in").waitFor();
    await signIn(fleet.admin.token);
    await part("chart").first().waitFor();
    await part("disconnected").waitFor({ state: "detached" });
  });

  it("says on a new server what to do first, on every page", async () => {
    const folder = mkdtempSync(join(tmpdir(), "upbeat-new-"));
    const server = await startServer(folder);
    const { page: other } = await openPage(browser);
    try {
      await other.goto(`${server.url}/admin/`);
      await consoleParts(
        () => other,
        () => server.url,
      ).signIn(server.adminToken ?? "");
      await other.getByTestId("first-steps").waitFor();
      await lookAt(other, "console-first-steps");
      for (const path of ["updates", "rollouts", "devices", "holds", "keys"]) {
        await other.goto(`${server.url}/admin/${path}`);
        await other.getByTestId("empty").first().waitFor();
      }
    } finally {
      await other.context().close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("signs out, and nothing that was seen stays", async () => {
    await button("Sign out").click();
    await title("Sign in").waitFor();
    await page.goBack();
    await title("Sign in").waitFor();
  });

  it("asked nobody but its own server, and the browser had nothing to complain about", () => {
    const hosts = new Set(
      opened.requests.filter((url) => !url.startsWith("data:")).map((url) => new URL(url).host),
    );
    expect([...hosts]).toEqual([new URL(fleet.admin.server.url).host]);
    expect(
      opened.complaints.filter(
        (text) => !/\b401\b|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY/.test(text),
      ),
    ).toEqual([]);
  });
});
