/**
 * Which of the known updates suit this machine now, and why the others do not.
 *
 * Pure. An update is offered when it is not installed, not superseded and installable (the three
 * rules of windows-update.md 1.3), its prerequisites are installed, it is newer than what is
 * installed, it was not rolled back here, and no higher version of its product is offered. Newer is
 * never replaced by older; asking again never changes the answer. A refusal is a value.
 */

import type { NotOffered } from "../protocol/decisions.ts";
import { formatUpdate, type UpdateId } from "../protocol/ids.ts";
import type { Offer } from "../protocol/orchestratorApi.ts";
import { type DeviceView, deviceView, type KnownUpdate, type OfferInput } from "./installedHere.ts";
import { policyOf } from "./policyQuestions.ts";
import type { Refusal } from "./question.ts";
import { refusalOf } from "./refusal.ts";
import { compareVersions } from "./versionOrder.ts";

export interface Decision {
  readonly offers: Offer[];
  readonly notOffered: NotOffered[];
  /** By `formatUpdate(offer.update)`: what installing it means. A bundle means its children. */
  readonly installs: ReadonlyMap<string, readonly UpdateId[]>;
}

/** `view`: of the same input, where the caller goes on asking it. */
export function decideOffers(input: OfferInput, view = deviceView(input)): Decision {
  const candidates: KnownUpdate[] = [];
  const notOffered: NotOffered[] = [];
  const bestOf = new Map<string, KnownUpdate>();
  // Newest first, so that the first suitable version of a product is the offered one.
  for (const update of input.updates.toSorted(newestFirst)) {
    // Probes for prerequisites, never something to install (windows-update.md 1.2).
    if (update.manifest.kind === "detectoid" || update.manifest.kind === "category") continue;
    const refusal = refusalOf(update, view) ?? supersededBy(bestOf.get(update.id.product));
    if (refusal === undefined) {
      candidates.push(update);
      bestOf.set(update.id.product, update);
    } else notOffered.push(refused(update, refusal));
  }
  const naming = candidates.filter((update) => update.manifest.supersedes.length > 0);
  const offered = candidates.filter((update) => {
    const refusal = supersededBy(naming.find((other) => replaces(other, update)));
    if (refusal !== undefined) notOffered.push(refused(update, refusal));
    return refusal === undefined;
  });
  return {
    offers: offered.map((update) => offerOf(update, view)),
    notOffered,
    installs: new Map(offered.map((update) => [formatUpdate(update.id), installsOf(update, view)])),
  };
}

const newestFirst = (a: KnownUpdate, b: KnownUpdate): number =>
  a.id.product === b.id.product
    ? compareVersions(b.id.version, a.id.version)
    : a.id.product < b.id.product
      ? -1
      : 1;

const supersededBy = (other: KnownUpdate | undefined): Refusal | undefined =>
  other && {
    reason: "superseded",
    detail: `${formatUpdate(other.id)} is offered instead.`,
  };

/**
 * Across products an update is replaced by a later published one that names it. "Later" orders the
 * two, so that updates that name each other cannot both vanish.
 */
function replaces(other: KnownUpdate, update: KnownUpdate): boolean {
  if (other.id.product === update.id.product) return false;
  const later = Date.parse(other.manifest.publishedAt) > Date.parse(update.manifest.publishedAt);
  return (
    later &&
    other.manifest.supersedes.some(
      (ref) =>
        ref.product === update.id.product &&
        (ref.version === undefined || ref.version === update.id.version),
    )
  );
}

const refused = (update: KnownUpdate, refusal: Refusal): NotOffered => ({
  product: update.id.product,
  version: update.id.version,
  ...refusal,
});

function offerOf(update: KnownUpdate, view: DeviceView): Offer {
  const { manifest } = update;
  const parts =
    manifest.kind === "bundle"
      ? installsOf(update, view).flatMap((id) => view.find(id.product, id.version) ?? [])
      : [update];
  const installed = view.installedVersion(update.id.product);
  return {
    update: update.id,
    channel: manifest.channel,
    title: manifest.title,
    classification: manifest.classification,
    severity: manifest.severity,
    releaseNotes: manifest.releaseNotes,
    sizeBytes: parts.reduce((sum, part) => sum + (part.manifest.payload?.totalBytes ?? 0), 0),
    ...(installed === undefined ? {} : { installedVersion: installed }),
    restart: manifest.restart,
    userInput: manifest.userInput,
    exclusive: manifest.exclusive,
    ...fromPolicy(update, view),
  };
}

/** How it came and by when it must be here: the earliest date of manifest and approvals. */
function fromPolicy(
  update: KnownUpdate,
  view: DeviceView,
): Pick<Offer, "optional" | "expedited" | "rollout" | "deadlineMs" | "deadlineDays"> {
  const { manifest } = update;
  const policy = policyOf(update, view);
  const approved = policy?.approval(manifest);
  const rolledOut = policy?.rollout(manifest);
  const rollout = rolledOut?.is === "reached" ? rolledOut.rollout : undefined;
  const deadlines = [
    manifest.deadline === undefined ? undefined : Date.parse(manifest.deadline),
    approved?.is === "approved" ? approved.deadlineMs : undefined,
  ].filter((deadline) => deadline !== undefined);
  return {
    optional: rollout?.optional ?? false,
    expedited: rollout?.expedite !== undefined,
    ...(rollout === undefined ? {} : { rollout: rollout.id }),
    ...(rollout?.expedite === undefined ? {} : { deadlineDays: rollout.expedite.deadlineDays }),
    ...(deadlines.length === 0 ? {} : { deadlineMs: Math.min(...deadlines) }),
  };
}

/** Children in their order, bundles in bundles opened, nothing twice, nothing that is here already. */
function installsOf(update: KnownUpdate, view: DeviceView): UpdateId[] {
  if (update.manifest.kind !== "bundle") return [update.id];
  const found = new Map<string, UpdateId>();
  for (const child of update.manifest.children) {
    const known = view.find(child.product, child.version);
    // A bundle that lacks a child, or loops, was refused before this.
    if (known === undefined || view.isSatisfied(known)) continue;
    for (const id of installsOf(known, view)) found.set(formatUpdate(id), id);
  }
  return [...found.values()];
}
