/**
 * What the admin console's pages show in tests: a real server, two real machines, updates that were
 * published, installed, undone and held back.
 */
import { execFileSync } from "node:child_process";
import type { Page } from "playwright-core";
import { buildPages } from "../../web/build.ts";
import { type Administrator, administrator } from "./administrator.ts";
import { type FleetDevice, fleetDevice } from "./fleetDevice.ts";
import { reportInstalled } from "./reportingDevice.ts";

export interface ConsoleFleet {
  readonly admin: Administrator;
  readonly canary: FleetDevice;
  readonly till: FleetDevice;
  close(): Promise<void>;
}

/** One more than fits on a page of devices. */
const OTHERS = 51;

export async function consoleFleet(): Promise<ConsoleFleet> {
  const [admin] = await Promise.all([administrator(), buildPages()]);
  const products = ["kiosk"];
  const canary = await fleetDevice(admin, { name: "canary-1", products, tags: ["canary"] });
  const till = await fleetDevice(admin, { name: "till-1", products, tags: ["till"] });
  const change = async (device: FleetDevice, kind: "check" | "install") => {
    await device.change(kind === "check" ? { kind, full: false } : { kind });
  };
  await admin.publish("kiosk", "1.0.0", "--title", "Kiosk 1.0", "--classification", "feature");
  for (const device of [canary, till]) {
    await change(device, "check");
    await change(device, "install");
  }
  const rings = ["--ring", "canary who=tag.canary", "--ring", "broad start=+2d curve=10,100@3d"];
  await admin.upbeat("rollouts", "create", "kiosk@1.1.0", ...rings);
  await admin.publish(
    ...(["kiosk", "1.1.0", "--title", "Kiosk 1.1", "--classification", "security"] as const),
    ...["--severity", "important", "--description", "The clock no longer stands still."],
  );
  await change(canary, "check");
  await change(canary, "install");
  // A version that its own health check finds ill: it is undone on the machine that tries it.
  await admin.upbeat("rollouts", "create", "kiosk@1.2.0", "--ring", "canary who=tag.canary");
  await admin.publish("kiosk", "1.2.0", "--title", "Kiosk 1.2", "--health-command", "/bin/false");
  await change(canary, "check");
  await change(canary, "install").catch(() => undefined);
  await admin.upbeat(
    ...["holds", "add", "kiosk@1.2.0", "--id", "H-display", "--who", "tag.museum"],
    ...["--text", "The display stays dark on this model."],
  );
  await change(till, "check");
  const kiosk = { product: "kiosk", channel: "stable", current: "1.0.0" };
  const others = Array.from({ length: OTHERS }, () =>
    reportInstalled(admin.server, admin.token, [kiosk]),
  );
  await Promise.all(others);
  return {
    admin,
    canary,
    till,
    async close() {
      await canary.close();
      await till.close();
      await admin.close();
    },
  };
}

/** What tests of the console look for and do. */
export function consoleParts(page: () => Page, address: () => string) {
  const button = (name: string) => page().getByRole("button", { name, exact: true });
  return {
    button,
    open: (path: string) => page().goto(`${address()}/admin${path}`),
    title: (name: string) => page().getByRole("heading", { level: 1, name }),
    go: (name: string) =>
      page().getByRole("navigation").getByRole("link", { name, exact: true }).click(),
    tab: (name: string) => page().getByRole("tab", { name, exact: true }).click(),
    part: (name: string) => page().getByTestId(name),
    row: (text: string) => page().getByTestId("row").filter({ hasText: text }),
    command: async () => (await page().getByTestId("command").locator("code").innerText()).trim(),
    async signIn(token: string) {
      await page().getByLabel("Administration token").fill(token);
      await button("Sign in").click();
    },
  };
}

/** The words of a command as a shell reads them, without running any of it but `printf`. */
export function shellWords(command: string): string[] {
  const printed = execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${command}`], {
    encoding: "utf8",
  });
  return printed.split("\0").slice(0, -1);
}
