/** Chapters three to five: a release travels to the machine and stays, or goes back by itself. */
import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { devicePaths } from "../../device/paths.ts";
import { ErrorReport } from "../../protocol/errors/error.ts";
import { Change } from "../../protocol/orchestratorApi.ts";
import { HistoryEntry } from "../../protocol/updateServiceApi.ts";
import { EXIT } from "../exitCodes.ts";
import { bytes, count } from "../screen/format.ts";
import type { Release, Releases } from "./releases.ts";
import { mustBe, type Stage } from "./stage.ts";

const Published = z.object({
  outcome: z.literal("published"),
  files: z.number(),
  sizeBytes: z.number(),
  cost: z.object({ growth: z.record(z.string(), z.object({ sizeBytes: z.number() })) }),
});
const Changed = z.object({ change: Change });

/** A good release: offered, fetched, installed, healthy, kept. */
export async function goodRelease(stage: Stage, releases: Releases, release: Release) {
  stage.chapter(`${release.title} is published, and the machine takes it`);
  await publishRelease(stage, releases.product, release);
  await offered(stage, release);
  await stage.ask(Changed, ["download"]);
  stage.say("It downloaded the update and verified every byte against the signed manifest.");
  const { change } = await stage.ask(Changed, ["install"]);
  const record = change.updates.find((one) => one.version === release.version);
  mustBe(`${release.version} is installed`, record?.state === "installed", record);
  const healthy = release.healthCommand === undefined ? "" : "It proved healthy and was kept. ";
  stage.say(`${healthy}${await whatRuns(stage, releases, release)}`);
}

/** A bad one: installed, found ill, undone, and the reason kept. */
export async function badRelease(stage: Stage, releases: Releases) {
  const { release, what } = releases.makeBroken(join(stage.folder, "broken"));
  stage.chapter(`${release.title}: the machine tries it and goes back by itself`);
  stage.say(`This release is broken: ${what}.`);
  await publishRelease(stage, releases.product, release);
  await offered(stage, release);
  const refused = z.object({ error: ErrorReport });
  const { error } = await stage.ask(refused, ["install"], [EXIT.failed]);
  stage.say(`${stage.style.warn("Its health check failed")}: ${error.text} (${error.code}).`);
  const [newest] = await history(stage);
  mustBe(
    `the newest operation is the undone install of ${release.version}`,
    newest?.result === "rolled-back" && newest.toVersion === release.version,
    newest,
  );
  stage.say(`Nobody had to do anything. ${await whatRuns(stage, releases, releases.second)}`);
  return { release, reason: error };
}

export const history = async (stage: Stage): Promise<HistoryEntry[]> =>
  (await stage.ask(z.object({ entries: z.array(HistoryEntry) }), ["history"])).entries;

async function publishRelease(stage: Stage, product: string, release: Release): Promise<void> {
  const options = ["--product", product, "--version", release.version, "--title", release.title];
  if (release.healthCommand !== undefined) options.push("--health-command", release.healthCommand);
  const published = await stage.ask(Published, ["publish", release.folder, ...options]);
  const grown = Object.values(published.cost.growth).reduce((sum, it) => sum + it.sizeBytes, 0);
  stage.say(
    `The publisher signed ${count(published.files, "file")} (${bytes(published.sizeBytes)}) and uploaded ${bytes(grown)} for it.`,
  );
}

async function offered(stage: Stage, release: Release): Promise<void> {
  const { change } = await stage.ask(Changed, ["check"]);
  const offers = change.check?.offers ?? [];
  mustBe(
    `${release.version} is offered`,
    offers.some((offer) => offer.update.version === release.version),
    change.check,
  );
  stage.say("The machine checked, verified the signatures and found that the update suits it.");
}

/** Follows the link that programs use, and asks the program itself. */
async function whatRuns(stage: Stage, releases: Releases, expected: Release): Promise<string> {
  const link = join(
    devicePaths(stage.deviceRoot).installed,
    "products",
    releases.product,
    "current",
  );
  const version = basename(readlinkSync(link));
  mustBe(`current is ${expected.version}`, version === expected.version, readlinkSync(link));
  if (releases.versionCommand === undefined) return `The link current leads to ${version}.`;
  const [program = "", ...args] = releases.versionCommand;
  const said = (await promisify(execFile)(program, args, { cwd: link })).stdout.trim();
  mustBe(`the program says ${expected.version}`, said.endsWith(` ${expected.version}`), said);
  return `The link current leads to ${version}, and the program there says "${said}".`;
}
