/**
 * `power.*`: mains and battery, as the kernel shows them
 * (Documentation/ABI/testing/sysfs-class-power).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "../../../protocol/deviceApi.ts";

export interface Power {
  readonly source: "mains" | "battery";
  /** Of all batteries together, 0 to 100; absent on a machine without one. */
  readonly batteryPercent?: number;
}

/** In steps, so that the inventory is not another one every few minutes. */
const PERCENT_STEP = 10;

export function powerFacts(root: string): Facts {
  const power = readPower(root);
  return {
    "power.source": power.source,
    "battery.present": power.batteryPercent !== undefined,
    ...(power.batteryPercent === undefined
      ? {}
      : { "battery.percent": power.batteryPercent - (power.batteryPercent % PERCENT_STEP) }),
  };
}

export function readPower(root: string): Power {
  const folder = join(root, "sys/class/power_supply");
  const supplies = namesIn(folder).map((name) => supplyIn(join(folder, name)));
  // A mouse has a battery too; its scope says that it is not the machine's.
  const ours = supplies.filter(({ scope }) => scope !== "Device");
  const batteries = ours.filter(({ type }) => type === "Battery");
  const percents = batteries.flatMap(({ capacity }) => (capacity === undefined ? [] : [capacity]));
  const plugged = ours.some(({ type, online }) => type !== "Battery" && online);
  const charging = batteries.some(({ status }) => status === "Charging");
  return {
    source: batteries.length === 0 || plugged || charging ? "mains" : "battery",
    ...(percents.length === 0
      ? {}
      : { batteryPercent: percents.reduce((sum, one) => sum + one, 0) / percents.length }),
  };
}

function supplyIn(folder: string) {
  const read = (name: string): string => textOf(join(folder, name));
  const capacity = Number.parseInt(read("capacity"), 10);
  return {
    type: read("type"),
    scope: read("scope"),
    status: read("status"),
    online: Number.parseInt(read("online"), 10) > 0,
    capacity: capacity >= 0 && capacity <= 100 ? capacity : undefined,
  };
}

/** A machine without the folder, or a supply without the file, simply lacks it. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
