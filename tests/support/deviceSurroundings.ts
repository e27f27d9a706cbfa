/**
 * What a device finds around itself, made below its root: a battery, a network that costs, a person
 * at a terminal, another boot. The device reads it as it reads a real machine's.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Surroundings {
  power(source: "mains" | "battery"): void;
  network(cost: "metered" | "unmetered"): void;
  /** Somebody is signed in and last typed at that time; undefined: nobody is there. */
  person(lastInputMs: number | undefined): void;
  /** What was written on the terminal of that person. */
  screen(): string;
  boot(id: string): void;
  /** How the machine is restarted: a file appears. Returns its path. */
  restartLeaves(): string;
  /** The administrator's settings. */
  settings(values: object | string): void;
}

const UTMP_BYTES = 384;
const USER_PROCESS = 7;

export function surroundings(root: string): Surroundings {
  const put = (path: string, content: string | Uint8Array, mode = 0o644): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };
  return {
    power(source) {
      put("sys/class/power_supply/AC/type", "Mains\n");
      put("sys/class/power_supply/AC/online", source === "mains" ? "1\n" : "0\n");
      put("sys/class/power_supply/BAT0/type", "Battery\n");
      put("sys/class/power_supply/BAT0/capacity", "60\n");
    },
    network(cost) {
      const metered = cost === "metered" ? "yes" : "no";
      const says = `GENERAL.STATE:100 (connected)\nGENERAL.METERED:${metered}\nIP4.GATEWAY:10.0.0.1`;
      put("usr/bin/nmcli", `#!/bin/sh\ncat <<'END'\n${says}\nEND\n`, 0o755);
    },
    person(lastInputMs) {
      if (lastInputMs === undefined) {
        rmSync(join(root, "run/utmp"), { force: true });
        return;
      }
      const record = Buffer.alloc(UTMP_BYTES);
      record.writeInt16LE(USER_PROCESS, 0);
      record.write("tty1", 8);
      put("run/utmp", record);
      utimesSync(put("dev/tty1", ""), lastInputMs / 1_000, lastInputMs / 1_000);
    },
    screen: () => readFileSync(join(root, "dev/tty1"), "utf8"),
    boot: (id) => void put("proc/sys/kernel/random/boot_id", `${id}\n`),
    restartLeaves() {
      const proof = join(root, "restarted");
      put("etc/upbeat/restart.json", JSON.stringify({ command: ["/usr/bin/touch", proof] }));
      return proof;
    },
    settings: (values) =>
      void put(
        "etc/upbeat/settings.json",
        typeof values === "string" ? values : JSON.stringify(values),
      ),
  };
}
