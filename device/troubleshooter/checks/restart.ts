/** Restarts that are waited for: by an update of ours, by the package manager, by a newer kernel (row 20). */
import { readdir, readFile } from "node:fs/promises";
import { release } from "node:os";
import { z } from "zod";
import { compareVersions } from "../../../core/versionOrder.ts";
import { formatUpdate, Version } from "../../../protocol/ids.ts";
import { check, type Seen } from "../check.ts";

const Facts = z.object({
  own: z.array(z.object({ update: z.string(), sinceMs: z.int() })),
  /** Debian's update-notifier convention: packages that asked for it. */
  packages: z.array(z.string()).optional(),
  kernel: z.object({ running: z.string(), newest: z.string() }).optional(),
});

export const restart = check({
  id: "restart",
  title: "Restarts that wait",
  rows: [20],
  facts: Facts,
  async look(machine) {
    const own = machine
      .state()
      .records.filter(({ state }) => state === "restart-pending")
      .map((record) => ({ update: formatUpdate(record), sinceMs: record.sinceMs }));
    const packages = await requiredBy();
    const kernel = await newerKernel();
    return {
      own,
      ...(packages === undefined ? {} : { packages }),
      ...(kernel === undefined ? {} : { kernel }),
    };
  },
  judge({ own, packages, kernel }): Seen[] {
    const seen: Seen[] = own.map(({ update, sinceMs }) => ({
      cause: "restart-pending",
      object: update,
      evidence: [`it waits since ${new Date(sinceMs).toISOString()}`],
    }));
    const system = [
      ...(packages === undefined
        ? []
        : [`/run/reboot-required: ${packages.join(", ") || "no names"}`]),
      ...(kernel === undefined
        ? []
        : [`kernel ${kernel.running} runs, ${kernel.newest} is installed`]),
    ];
    if (system.length > 0)
      seen.push({ cause: "system-restart-pending", object: "system", evidence: system });
    return seen;
  },
});

async function requiredBy(): Promise<string[] | undefined> {
  const exists = await readFile("/run/reboot-required", "utf8").catch(() => undefined);
  if (exists === undefined) return undefined;
  const names = await readFile("/run/reboot-required.pkgs", "utf8").catch(() => "");
  return [...new Set(names.split("\n").filter(Boolean))];
}

async function newerKernel(): Promise<{ running: string; newest: string } | undefined> {
  const running = Version.safeParse(release()).data;
  const names = await readdir("/lib/modules").catch((): string[] => []);
  if (running === undefined || !names.includes(running)) return undefined;
  const [newest] = names
    .flatMap((name) => {
      const version = Version.safeParse(name);
      return version.success ? [version.data] : [];
    })
    // Another flavour (cloud, rt) is another kernel, not a newer one.
    .filter((name) => flavour(name) === flavour(running))
    .toSorted((a, b) => compareVersions(b, a));
  if (newest === undefined || compareVersions(newest, running) <= 0) return undefined;
  return { running, newest };
}

const flavour = (name: string): string => name.replace(/^[\d.+~-]+(?:deb\d+)?[-+]?/, "");
