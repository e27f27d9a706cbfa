/** Looks at one disk after a power cut, before and after the real update service recovered on it. */
import { join } from "node:path";
import { devicePaths } from "../../device/paths.ts";
import { versionOf } from "../support/deviceTree.ts";
import type { SampleReleases } from "../support/sampleReleases.ts";
import { startUpdateService } from "../support/updateServiceProcess.ts";
import { deviceRoot, type Phase } from "./recording.ts";

/** What is wrong; empty when the cut did no harm. `cut`: the place in the log. */
export async function verdict(
  mountPoint: string,
  releases: SampleReleases,
  { scenario, acknowledged, entriesBefore, allowed }: Phase,
  cut: number,
): Promise<string[]> {
  const root = deviceRoot(mountPoint);
  const current = join(devicePaths(root).installed, "products", releases.product, "current");
  const { outcome } = scenario;
  const isAcknowledged = cut > acknowledged;
  const wrong: string[] = [];

  const found = versionOf(current, releases.trees);
  if (!(isAcknowledged ? [outcome.current] : allowed).includes(found)) {
    wrong.push(`before recovery: current is ${found}`);
  }
  const service = await startUpdateService(root);
  try {
    await service.idle();
    const history = await service.history();
    const recovered = versionOf(current, releases.trees);
    const isDone = history.length === entriesBefore + 1;
    if (!isDone && history.length !== entriesBefore) {
      wrong.push(`history: ${history.length} entries, there were ${entriesBefore} before`);
    }
    if (isAcknowledged && !isDone) wrong.push("the acknowledged history entry is lost");
    if (isDone && recovered !== outcome.current) {
      wrong.push(`history says that it is done, and current is ${recovered}`);
    }
    if (!isDone && recovered !== allowed[0]) {
      wrong.push(`history does not say that it is done, and current is ${recovered}`);
    }
    const [newest] = history;
    if (isDone && newest?.result !== outcome.entry.result) {
      wrong.push(`history: expected ${outcome.entry.result}, found ${JSON.stringify(newest)}`);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    wrong.push(`no recovery: ${reason}\n${service.output()}`);
  } finally {
    await service.kill();
  }
  return wrong;
}
