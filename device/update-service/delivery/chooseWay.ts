/**
 * Works out how an update comes here: patches from a list of files that is here whole, or whole
 * files. Fetches descriptions only, and of those no more than the choice needs.
 *
 * Errors: those of `documents.ts`.
 */
import { type ContentPlace, distinctContents } from "../../../core/contentPlaces.ts";
import {
  type Cost,
  cheapestRoute,
  costBytes,
  costOfRanges,
  costOfRoute,
  planRanges,
  type Step,
} from "../../../core/deliveryPlan.ts";
import { compareVersions } from "../../../core/versionOrder.ts";
import type { Delivery } from "../../../protocol/delivery.ts";
import type { DownloadPlan, PlanPart } from "../../../protocol/downloadPlan.ts";
import { reportError, UpbeatError } from "../../../protocol/errors/error.ts";
import { formatUpdate, type Sha256 } from "../../../protocol/ids.ts";
import type { TreeEntry } from "../../../protocol/payload.ts";
import type { DownloadWorld } from "../download.ts";
import type { FoundUpdate } from "../findUpdate.ts";
import { type ContentHere, contentHere } from "./contentHere.ts";
import { bringDelivery, bringPayload, bringPlaces } from "./documents.ts";

export interface Way {
  /** Patches to apply, one after the other; none: whole files. */
  readonly route: readonly Step[];
  readonly delivery: Delivery | undefined;
  readonly plan: DownloadPlan;
}

/** What whole files need: known once their list is here. */
export interface FilesWay extends Way {
  readonly payload: readonly TreeEntry[];
  readonly here: ContentHere;
  /** Undefined: each content lies there plainly. */
  readonly places: ReadonlyMap<Sha256, ContentPlace> | undefined;
}

/** A list and the versions that its update knows by patches from it: more were never needed. */
const OTHER_VERSIONS = 8;
/**
 * Up to this share of all there is, a patch is taken without asking what the whole files would cost:
 * that question costs the list of files, which a patch carries nearly for nothing.
 */
const CLEARLY_CHEAPER = 0.5;

export const isFilesWay = (way: Way): way is FilesWay => "payload" in way;

/** What whole files need, whatever else there is. */
export async function wholeFiles(world: DownloadWorld, found: FoundUpdate): Promise<FilesWay> {
  return filesWay(world, found, await deliveryOf(world, found), []);
}

/** Undefined: everything lies on the server plainly. */
async function deliveryOf(
  world: DownloadWorld,
  { manifest, index }: FoundUpdate,
): Promise<Delivery | undefined> {
  const packed = index?.updates.find(({ version }) => version === manifest.version)?.delivery;
  if (manifest.payload === undefined || packed === undefined) return undefined;
  return bringDelivery(world, packed, manifest.payload.sha256, formatUpdate(manifest));
}

export async function chooseWay(world: DownloadWorld, found: FoundUpdate): Promise<Way> {
  const delivery = await deliveryOf(world, found);
  if (delivery === undefined) return filesWay(world, found, undefined, []);
  const { route, passedOver } = await routeTo(world, found, delivery);
  const isListHere = world.manifests.payload(found.manifest) !== undefined;
  if (route !== undefined && route.length > 0) {
    const patches = patchesWay(world, delivery, route, passedOver);
    const clearly = costBytes(costOfRoute(route)) <= CLEARLY_CHEAPER * wholeBytesOf(delivery);
    if (clearly && !isListHere) return patches;
    const files = await filesWay(world, found, delivery, passedOver);
    return costBytes(files.plan) < costBytes(patches.plan) ? files : patches;
  }
  return filesWay(world, found, delivery, passedOver);
}

/** From a list whose files are all here, verified; what is not is passed over and named. */
async function routeTo(world: DownloadWorld, found: FoundUpdate, delivery: Delivery) {
  const target = delivery.payload;
  const here = new Set(world.manifests.lists.all().filter((list) => list !== target));
  const passedOver: UpbeatError[] = [];
  let steps = stepsOf(delivery);
  let others: Promise<readonly Step[]> | undefined;
  for (;;) {
    let route = cheapestRoute(steps, here, target);
    if (route === undefined && others === undefined && here.size > 0) {
      others = otherSteps(world, found);
      steps = [...steps, ...(await others)];
      route = cheapestRoute(steps, here, target);
    }
    const base = route?.[0]?.patch.from;
    if (base === undefined) return { route, passedOver };
    const problem = await problemWith(world, base);
    if (problem === undefined) return { route, passedOver };
    passedOver.push(problem);
    here.delete(base);
  }
}

const stepsOf = ({ payload, patches }: Delivery): Step[] =>
  patches.map((patch) => ({ to: payload, patch }));

/** Patches between other versions: for a way over several of them. Newest first. */
async function otherSteps(world: DownloadWorld, { manifest, index }: FoundUpdate): Promise<Step[]> {
  const others = (index?.updates ?? [])
    .filter(({ version, delivery }) => version !== manifest.version && delivery !== undefined)
    .toSorted((a, b) => compareVersions(b.version, a.version))
    .slice(0, OTHER_VERSIONS);
  const steps: Step[] = [];
  for (const { version, delivery } of others) {
    if (delivery === undefined) continue;
    const object = formatUpdate({ product: manifest.product, version });
    try {
      steps.push(...stepsOf(await bringDelivery(world, delivery, undefined, object)));
    } catch (error) {
      // Another version's description is a help, not a need.
      if (!(error instanceof UpbeatError)) throw error;
    }
  }
  return steps;
}

/** Why nothing can be made from that list; every file of it is hashed. */
async function problemWith(world: DownloadWorld, list: Sha256): Promise<UpbeatError | undefined> {
  const entries = world.manifests.list(list);
  if (entries === undefined)
    return new UpbeatError("UPB-VERIFY-MISSING", { object: `list ${list}` });
  const { missing } = await contentHere(world, entries);
  const [first] = missing;
  if (first === undefined) return undefined;
  const detail = `${missing.length} files are missing or changed, the first is ${first.path}`;
  return new UpbeatError("UPB-DELTA-WRONG-BASE", { object: `list ${list}`, detail });
}

/** Also the last resort, when patches turned out not to lead there: `fellBack` says why. */
export async function filesWay(
  world: DownloadWorld,
  found: FoundUpdate,
  delivery: Delivery | undefined,
  fellBack: readonly UpbeatError[],
): Promise<FilesWay> {
  const { manifest } = found;
  const object = formatUpdate(manifest);
  const kept = world.manifests.payload(manifest);
  const payload = kept ?? (await bringPayload(world, manifest, delivery));
  const here = await contentHere(world, payload);
  const contents = distinctContents(payload);
  const wanted = distinctContents(here.absent);
  const places =
    delivery === undefined || wanted.length === 0
      ? undefined
      : await bringPlaces(world, payload, delivery, object);
  const plain = { bytes: bytesOf(wanted), requests: wanted.length };
  const cost = places === undefined ? plain : costOfRanges(planRanges(wanted, places));
  const documents: Cost = {
    bytes:
      (kept === undefined ? (delivery?.list.sizeBytes ?? manifest.payload?.sizeBytes ?? 0) : 0) +
      (places === undefined ? 0 : (delivery?.contents.sizeBytes ?? 0)),
    requests: (kept === undefined ? 1 : 0) + (places === undefined ? 0 : 1),
  };
  const hereBytes = bytesOf(contents) - bytesOf(wanted);
  const plan = planOf(
    world,
    wanted.length === 0 ? "nothing" : "files",
    [
      { source: "here", count: contents.length - wanted.length, bytes: hereBytes, requests: 0 },
      { source: "files", count: wanted.length, ...cost },
      { source: "description", count: documents.requests, ...documents },
    ],
    delivery === undefined ? bytesOf(contents) : wholeBytesOf(delivery),
    fellBack,
  );
  return { route: [], delivery, plan, payload, here, places };
}

function patchesWay(
  world: DownloadWorld,
  delivery: Delivery,
  route: readonly Step[],
  fellBack: readonly UpbeatError[],
): Way {
  const part: PlanPart = { source: "patches", count: route.length, ...costOfRoute(route) };
  const plan = planOf(world, "patches", [part], wholeBytesOf(delivery), fellBack);
  return { route, delivery, plan };
}

function planOf(
  world: DownloadWorld,
  way: DownloadPlan["way"],
  parts: readonly PlanPart[],
  wholeBytes: number,
  fellBack: readonly UpbeatError[],
): DownloadPlan {
  const fetched = parts.filter(({ source }) => source !== "here");
  const bytes = fetched.reduce((total, part) => total + part.bytes, 0);
  const speed = world.bytesPerSecond();
  return {
    plannedMs: world.now(),
    way,
    parts: parts.filter(({ count }) => count > 0),
    bytes,
    requests: fetched.reduce((total, part) => total + part.requests, 0),
    wholeBytes,
    ...(speed === undefined ? {} : { estimateMs: Math.ceil((bytes * 1_000) / speed) }),
    fellBack: fellBack.slice(0, 20).map(reportError),
  };
}

const wholeBytesOf = ({ whole, list, contents }: Delivery): number =>
  whole.sizeBytes + list.sizeBytes + contents.sizeBytes;

const bytesOf = (files: readonly { sizeBytes: number }[]): number =>
  files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
