import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Facts } from "../../../protocol/deviceApi.ts";
import { Channel, Product, Version } from "../../../protocol/ids.ts";
import { devicePaths } from "../../paths.ts";
import { collectFacts, factsOf } from "./collect.ts";
import { parseMounts } from "./hardware.ts";
import { parseNetworkCost } from "./network.ts";
import { parseOsRelease } from "./operatingSystem.ts";
import { parsePackages } from "./packages.ts";
import { readPower } from "./power.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "upbeat-facts-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, text: string, mode = 0o644): void => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text);
  chmodSync(file, mode);
};
const collect = () => collectFacts(devicePaths(root), []);
const failures = async () =>
  Object.fromEntries(
    (await collect()).sources.flatMap(({ source, failure }) =>
      failure === undefined ? [] : [[source, failure]],
    ),
  );

it("this machine has an architecture, a kernel, memory, a disk, power and its products", async () => {
  const product = {
    product: Product.parse("kiosk"),
    channel: Channel.parse("stable"),
    current: Version.parse("1.2"),
  };
  const report = await collectFacts(devicePaths(root), [product]);
  const facts = Facts.parse(factsOf(report));
  expect(facts).toMatchObject({ "product.kiosk.version": "1.2", "power.source": "mains" });
  for (const name of ["os.architecture", "kernel.version", "boot.mode", "network.cost"])
    expect(facts[name]).toBeTypeOf("string");
  for (const name of ["memory.totalBytes", "disk.totalBytes"])
    expect(facts[name]).toBeGreaterThan(0);
  expect(report.sources.filter(({ failure }) => failure !== undefined)).toEqual([]);
});

it("os-release is read as os-release(5) writes it, and only known names count", () => {
  const text = `NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\nPRETTY_NAME='A "B"'\n__proto__=x\n`;
  expect(parseOsRelease(text)).toEqual({
    "os.id": "debian",
    "os.version": "13",
    "os.title": 'A "B"',
  });
});

it("only mounted block devices are partitions, each once, with spaces in their names", () => {
  const text = [
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "23 22 0:5 / /proc rw - proc proc rw",
    "24 22 0:44 / /mnt/nas rw - nfs4 nas:/export rw",
    "25 22 8:1 /home /srv rw - ext4 /dev/sda1 rw",
    "26 22 8:2 / /media/my\\040disk rw - vfat /dev/sdb1 rw",
  ].join("\n");
  expect(parseMounts(text)).toEqual([
    { mountPoint: "/", type: "ext4" },
    { mountPoint: "/media/my disk", type: "vfat" },
  ]);
});

it("only packages that are installed count", async () => {
  const text = `Package: openssl
Status: install ok installed
Version: 3.5.1-1+deb13u1
Description: toolkit
 Version: of its second line

Package: nano
Status: deinstall ok config-files
Version: 8.4-1
`;
  async function* lines() {
    yield* text.split("\n");
  }
  expect(await parsePackages(lines())).toEqual({ "package.openssl.version": "3.5.1-1+deb13u1" });
});

describe("power", () => {
  const supply = (name: string, values: Record<string, string>): void => {
    for (const [key, value] of Object.entries(values)) {
      put(`sys/class/power_supply/${name}/${key}`, `${value}\n`);
    }
  };

  it("comes from the battery when nothing else is plugged in", () => {
    supply("AC", { type: "Mains", online: "0" });
    supply("BAT0", { type: "Battery", capacity: "73", status: "Discharging" });
    expect(readPower(root)).toEqual({ source: "battery", batteryPercent: 73 });
    supply("AC", { online: "1" });
    expect(readPower(root).source).toBe("mains");
  });

  it("comes from the mains on a machine without a battery; a mouse's battery is not the machine's", () => {
    supply("hid-mouse", {
      type: "Battery",
      scope: "Device",
      capacity: "10",
      status: "Discharging",
    });
    expect(readPower(root)).toEqual({ source: "mains" });
  });
});

it("the network costs what NetworkManager says of the device that leads out", () => {
  const device = (state: string, metered: string, gateway: string) =>
    `GENERAL.STATE:${state}\nGENERAL.METERED:${metered}\nIP4.GATEWAY:${gateway}\n`;
  const loopback = device("100 (connected (externally))", "unknown", "");
  const off = device("30 (disconnected)", "no", "10.0.0.1");
  const phone = device("100 (connected)", "yes (guessed)", "192.168.43.1");
  const cable = device("100 (connected)", "no", "192.168.1.1");
  expect(parseNetworkCost([loopback, off, phone].join("\n"))).toBe("metered");
  expect(parseNetworkCost([loopback, cable].join("\n"))).toBe("unmetered");
  expect(parseNetworkCost(loopback)).toBe("unknown");
});

describe("tags", () => {
  it("are one a line, with remarks", async () => {
    put("etc/upbeat/tags", "# this machine\nlobby\nring-1  # early\n\n");
    expect(factsOf(await collect())).toMatchObject({ "tag.lobby": true, "tag.ring-1": true });
  });

  it("with a mistake are not half used: the reason is said", async () => {
    put("etc/upbeat/tags", "lobby\nRing One\n");
    const facts = factsOf(await collect());
    expect(facts).not.toHaveProperty("tag.lobby");
    expect(facts["fact-source.tags"]).toContain("Ring One");
  });
});

describe("facts of the administrator's own", () => {
  it("come from executables and files, under a name that nothing else has", async () => {
    put(
      "etc/upbeat/facts.d/site",
      '#!/bin/sh\necho \'{"site": "Bern", "os.id": "haiku"}\'\n',
      0o755,
    );
    put("etc/upbeat/facts.d/rack.json", '{"rack": 7, "spare": false}');
    const facts = factsOf(await collect());
    expect(facts).toMatchObject({
      "custom.site": "Bern",
      "custom.os.id": "haiku",
      "custom.rack": 7,
      "custom.spare": false,
    });
    expect(facts["os.id"]).not.toBe("haiku");
  });

  it("that fail say why and block no other", async () => {
    put("etc/upbeat/facts.d/good", "#!/bin/sh\necho '{\"fine\": true}'\n", 0o755);
    put("etc/upbeat/facts.d/crashes", "#!/bin/sh\necho no disk >&2\nexit 3\n", 0o755);
    put("etc/upbeat/facts.d/floods", "#!/bin/sh\nexec yes\n", 0o755);
    put("etc/upbeat/facts.d/babbles", "#!/bin/sh\necho hello\n", 0o755);
    put("etc/upbeat/facts.d/plain", "not executable", 0o644);
    const report = await collect();
    expect(factsOf(report)).toMatchObject({ "custom.fine": true });
    const failed = await failures();
    expect(failed["custom/crashes"]).toMatch(/exit status 3: no disk/);
    expect(failed["custom/floods"]).toMatch(/more than 65536 bytes/);
    expect(failed["custom/babbles"]).toMatch(/JSON/);
    expect(failed["custom/plain"]).toBeTruthy();
    expect(factsOf(report)["fact-source.custom/crashes"]).toContain("exit status 3");
  });

  it("that others may write to, and links, are not run", async () => {
    put("etc/upbeat/facts.d/open", "#!/bin/sh\necho '{\"open\": true}'\n", 0o777);
    put("elsewhere", "#!/bin/sh\necho '{\"linked\": true}'\n", 0o755);
    symlinkSync(join(root, "elsewhere"), join(root, "etc/upbeat/facts.d/linked"));
    const facts = factsOf(await collect());
    expect(facts).not.toHaveProperty("custom.open");
    expect(facts).not.toHaveProperty("custom.linked");
    const failed = await failures();
    expect(failed["custom/open"]).toContain("others than its owner");
    expect(failed["custom/linked"]).toContain("it is no file");
    chmodSync(join(root, "etc/upbeat/facts.d"), 0o777);
    expect((await failures())["custom"]).toContain("others than its owner");
  });
});
