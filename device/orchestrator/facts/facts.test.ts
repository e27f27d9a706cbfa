import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Facts } from "../../../protocol/deviceApi.ts";
import { Channel, Product, Version } from "../../../protocol/ids.ts";
import { devicePaths } from "../../paths.ts";
import { collectFacts } from "./collect.ts";
import { parseOsRelease } from "./operatingSystem.ts";

it("this machine has an architecture, a kernel, memory, a disk and its products' versions", () => {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-facts-"));
  const product = {
    product: Product.parse("kiosk"),
    channel: Channel.parse("stable"),
    current: Version.parse("1.2"),
  };
  const facts = Facts.parse(collectFacts(devicePaths(folder), [product]));
  rmSync(folder, { recursive: true });
  expect(facts).toMatchObject({ "product.kiosk.version": "1.2" });
  for (const name of ["os.architecture", "kernel.version"])
    expect(facts[name]).toBeTypeOf("string");
  for (const name of ["memory.totalBytes", "disk.totalBytes"])
    expect(facts[name]).toBeGreaterThan(0);
});

it("os-release is read as os-release(5) writes it, and only known names count", () => {
  const text = `NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="13"\nPRETTY_NAME='A "B"'\n__proto__=x\n`;
  expect(parseOsRelease(text)).toEqual({
    "os.id": "debian",
    "os.version": "13",
    "os.title": 'A "B"',
  });
});
