/**
 * What counts as installed on this machine: software by its version or its own rule, a detectoid by
 * its rule, a category always, a bundle when all its children are.
 *
 * Pure. Bundles can name each other in a circle or nest without end; both end in `problem`.
 */
import type { Facts } from "../protocol/deviceApi.ts";
import type { Product, UpdateId, Version } from "../protocol/ids.ts";
import { formatUpdate } from "../protocol/ids.ts";
import type { Rule, UpdateManifest } from "../protocol/manifest.ts";
import type { InstalledProduct, UpdateRecord } from "../protocol/updateServiceApi.ts";
import { type Evaluation, evaluateRule } from "./applicability.ts";
import { type OfferContext, type OfferRules, offerContext } from "./offerContext.ts";
import { compareVersions } from "./versionOrder.ts";

const MAX_RELATION_DEPTH = 8;
const MAX_RELATIONS = 500;

export interface KnownUpdate {
  readonly id: UpdateId;
  readonly manifest: UpdateManifest;
}

export interface OfferInput {
  readonly updates: readonly KnownUpdate[];
  readonly facts: Facts;
  readonly products: readonly InstalledProduct[];
  readonly records: readonly Pick<UpdateRecord, "manifestSha256" | "state">[];
  /** Policy, settings and what failed here. Absent: all that suits is offered. */
  readonly rules?: OfferRules;
}

export interface DeviceView {
  /** The update service's version, or the highest one that an isInstalled rule recognises. */
  installedVersion(product: Product): Version | undefined;
  isInstalled(update: KnownUpdate): boolean;
  /** Installed, or something newer of the same product is. */
  isSatisfied(update: KnownUpdate): boolean;
  /** Whether some version (or exactly this one) counts as installed; detectoids included. */
  isPresent(product: Product, version: Version | undefined): boolean;
  find(product: Product, version: Version): KnownUpdate | undefined;
  evaluate(rule: Rule): Evaluation;
  /** The circle or the depth that makes this update's relations meaningless. */
  problem(update: KnownUpdate): string | undefined;
  wasRolledBack(update: UpdateId): boolean;
  readonly context: OfferContext | undefined;
}

export function deviceView(input: OfferInput): DeviceView {
  const byName = new Map(input.updates.map((update) => [formatUpdate(update.id), update]));
  const byProduct = Map.groupBy(input.updates, (update) => update.id.product);
  const current = new Map(input.products.map((product) => [product.product, product.current]));
  const rolledBack = new Set(
    input.records.flatMap((r) => (r.state === "rolled-back" ? [r.manifestSha256] : [])),
  );

  const installed = new Map<Product, Version | undefined>();
  /** A rule is asked several times on the way to an answer, and more often for a trace. */
  const evaluations = new Map<Rule, Evaluation>();

  const view: DeviceView = {
    installedVersion(product) {
      if (!installed.has(product)) {
        const recognised = (byProduct.get(product) ?? []).filter((it) => view.isInstalled(it));
        const versions = [...recognised.map((it) => it.id.version), current.get(product)];
        installed.set(product, newest(versions));
      }
      return installed.get(product);
    },

    isInstalled(update) {
      const { applicability, children, kind } = update.manifest;
      if (applicability.isInstalled !== undefined) {
        const evaluation = view.evaluate(applicability.isInstalled);
        return evaluation.is === "evaluated" && evaluation.result;
      }
      if (kind === "category") return true;
      if (kind === "detectoid") return false;
      if (kind === "software") return current.get(update.id.product) === update.id.version;
      if (children.length === 0 || view.problem(update) !== undefined) return false;
      return children.every((child) => {
        const known = view.find(child.product, child.version);
        return known === undefined
          ? current.get(child.product) === child.version
          : view.isSatisfied(known);
      });
    },

    isSatisfied(update) {
      if (view.isInstalled(update)) return true;
      const here = current.get(update.id.product);
      if (here !== undefined && compareVersions(here, update.id.version) > 0) return true;
      // Not through newer bundles: those could lead back here in a circle that `problem` does not see.
      return (byProduct.get(update.id.product) ?? []).some(
        (other) =>
          other.manifest.kind === "software" &&
          compareVersions(other.id.version, update.id.version) > 0 &&
          view.isInstalled(other),
      );
    },

    isPresent(product, version) {
      const here = current.get(product);
      if (here !== undefined && (version === undefined || here === version)) return true;
      return (byProduct.get(product) ?? []).some(
        (update) =>
          (version === undefined || update.id.version === version) && view.isInstalled(update),
      );
    },

    find: (product, version) => byName.get(formatUpdate({ product, version })),
    evaluate(rule) {
      const known = evaluations.get(rule);
      if (known !== undefined) return known;
      const evaluation = evaluateRule(rule, input.facts);
      evaluations.set(rule, evaluation);
      return evaluation;
    },
    problem: (update) => relationProblem(update, view.find),
    wasRolledBack: (update) => rolledBack.has(update.manifestSha256),
    context: input.rules && offerContext(input.rules, input.facts),
  };
  return view;
}

const newest = (versions: readonly (Version | undefined)[]): Version | undefined =>
  versions
    .filter((version) => version !== undefined)
    .toSorted(compareVersions)
    .at(-1);

function relationProblem(root: KnownUpdate, find: DeviceView["find"]): string | undefined {
  let visits = 0;
  const walk = (update: KnownUpdate, above: readonly string[]): string | undefined => {
    const name = formatUpdate(update.id);
    visits += 1;
    if (above.includes(name)) return `its children form a circle through ${name}`;
    if (above.length >= MAX_RELATION_DEPTH) {
      return `its children are nested deeper than ${MAX_RELATION_DEPTH}`;
    }
    // A child that many parents share is walked once for each: few bytes could cost much time.
    if (visits > MAX_RELATIONS) return `it has more than ${MAX_RELATIONS} children`;
    for (const child of update.manifest.children) {
      const known = find(child.product, child.version);
      const problem = known && walk(known, [...above, name]);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return walk(root, []);
}
