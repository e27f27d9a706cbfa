/** What the update service is doing when it is killed, and what must have come of it in the end. */
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { devicePaths } from "../../device/paths.ts";
import type { Product, UpdateId, Version } from "../../protocol/ids.ts";
import type { HistoryEntry, JobRequest, ServiceStatus } from "../../protocol/updateServiceApi.ts";
import type { SampleReleases } from "../support/sampleReleases.ts";

export interface Step {
  readonly job: JobRequest;
  /** Whether what was asked for has come about. */
  done(status: ServiceStatus, history: readonly HistoryEntry[]): boolean;
}

export interface Scenario {
  readonly name: string;
  /** Steps that are taken undisturbed before. */
  readonly before: readonly Step[];
  /** Done to the device after that; what is installed may be damaged until the end. */
  readonly damage?: (root: string) => void;
  readonly steps: readonly Step[];
  /** First words of the kill points that lie on its way. */
  readonly passes: readonly string[];
  /** What `current` may be while it goes on. */
  readonly allowed: readonly string[];
  readonly outcome: {
    readonly current: string;
    /** The one history entry that it leaves. */
    readonly entry: Pick<HistoryEntry, "operation" | "result">;
  };
}

export function scenarios({ product, updates }: SampleReleases): Scenario[] {
  const id = (version: string): UpdateId => {
    const update = updates.get(version);
    if (update === undefined) throw new RangeError(`${version} was not published`);
    return update;
  };
  const download = (version: string): Step => ({
    job: { kind: "download", update: id(version) },
    done: (status) => !["absent", "downloading", "failed"].includes(stateOf(status, id(version))),
  });
  const install = (version: string, end = "installed"): Step => ({
    job: { kind: "install", update: id(version) },
    done: (status) => stateOf(status, id(version)) === end,
  });
  const rollback: Step = {
    job: { kind: "rollback", product },
    done: (status) => currentOf(status, product) === "1.0.0",
  };
  const uninstall: Step = {
    job: { kind: "uninstall", product },
    done: (status) => currentOf(status, product) === undefined,
  };
  const verify: Step = {
    job: { kind: "verify", product },
    done: (_status, history) => history.some(({ operation }) => operation === "verify"),
  };
  const installs = ["download", "install", "commit", "switch", "tidy", "recover"];
  const to = (version: string) => [download(version), install(version)];
  return [
    {
      name: "first install",
      before: [],
      steps: to("1.0.0"),
      passes: installs,
      allowed: ["absent", "1.0.0"],
      outcome: { current: "1.0.0", entry: { operation: "install", result: "succeeded" } },
    },
    {
      name: "update",
      before: to("1.0.0"),
      steps: to("2.0.0"),
      passes: [...installs, "patch"],
      allowed: ["1.0.0", "2.0.0"],
      outcome: { current: "2.0.0", entry: { operation: "install", result: "succeeded" } },
    },
    {
      name: "unhealthy update",
      before: to("1.0.0"),
      steps: [download("3.0.0"), install("3.0.0", "rolled-back")],
      passes: [...installs, "rollback"],
      // It is current while its health is asked; a crash then is followed by the same question.
      allowed: ["1.0.0", "3.0.0"],
      outcome: { current: "1.0.0", entry: { operation: "install", result: "rolled-back" } },
    },
    {
      name: "rollback",
      before: [...to("1.0.0"), ...to("2.0.0")],
      steps: [rollback],
      passes: ["rollback", "switch", "tidy", "recover"],
      allowed: ["2.0.0", "1.0.0"],
      outcome: { current: "1.0.0", entry: { operation: "rollback", result: "succeeded" } },
    },
    {
      name: "uninstall",
      before: [...to("1.0.0"), ...to("2.0.0")],
      steps: [uninstall],
      passes: ["uninstall", "tidy", "recover"],
      allowed: ["2.0.0", "absent"],
      outcome: { current: "absent", entry: { operation: "uninstall", result: "succeeded" } },
    },
    {
      name: "verify",
      before: to("1.0.0"),
      damage: (root) => {
        const installed = join(devicePaths(root).installed, "products", product, "versions/1.0.0");
        // The store's copy is the same file: it must come from the server again.
        appendFileSync(join(installed, "lib/data.bin"), "damage");
        rmSync(join(installed, "lib/shared.txt"));
        rmSync(join(installed, "var"), { recursive: true });
      },
      steps: [verify],
      passes: ["verify", "tidy", "recover"],
      allowed: ["1.0.0"],
      outcome: { current: "1.0.0", entry: { operation: "verify", result: "succeeded" } },
    },
  ];
}

function stateOf(status: ServiceStatus, { product, version }: UpdateId): string {
  const record = status.updates.find(
    (update) => update.product === product && update.version === version,
  );
  return record?.state ?? "absent";
}

function currentOf(status: ServiceStatus, product: Product): Version | undefined {
  return status.products.find((installed) => installed.product === product)?.current;
}
