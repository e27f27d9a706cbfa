/**
 * Which symptoms are one finding: a wrong clock, a certificate that looks expired and a check that
 * failed are the wrong clock. Pure.
 *
 * A symptom follows from another when the catalogue leads from that one to it, over any number of
 * steps, and both concern the same service (or one of them none in particular).
 */
import { CAUSE_IDS, CAUSES, type CauseId } from "../protocol/troubleshooting/causes.ts";
import type { Finding, Symptom } from "../protocol/troubleshooting/diagnosis.ts";

/** The most fundamental first. `canRepair` says what the troubleshooter would do about a cause. */
export function rootCauses(
  symptoms: readonly Symptom[],
  canRepair: (symptom: Symptom) => string | undefined,
): Finding[] {
  const ranked = symptoms.toSorted((a, b) => rank(a.cause) - rank(b.cause));
  const isRoot = (symptom: Symptom) => !ranked.some((other) => follows(symptom, other));
  return ranked.filter(isRoot).map((root) => {
    const repair = canRepair(root);
    const { severity, title, remedy } = CAUSES[root.cause];
    return {
      ...root,
      severity,
      title,
      remedy,
      ...(repair === undefined ? {} : { canRepair: repair }),
      consequences: ranked
        .filter((other) => follows(other, root))
        .map((other) => ({ ...other, title: CAUSES[other.cause].title })),
    };
  });
}

/** Whether `symptom` may come from `root`. Never both ways: the catalogue has no circles. */
export function follows(symptom: Symptom, root: Symptom): boolean {
  if (symptom === root || symptom.cause === root.cause) return false;
  const apart =
    symptom.service !== undefined &&
    root.service !== undefined &&
    symptom.service !== root.service &&
    // What needs a service suffers with it.
    !(root.service === "update-service" && symptom.service === "orchestrator");
  return !apart && reach(root.cause).has(symptom.cause);
}

const reached = new Map<CauseId, ReadonlySet<CauseId>>();

/** Every cause that this one leads to, over any number of steps. */
export function reach(cause: CauseId): ReadonlySet<CauseId> {
  const known = reached.get(cause);
  if (known !== undefined) return known;
  const found = new Set<CauseId>();
  const open: CauseId[] = [cause];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of CAUSES[next].leadsTo) {
      if (found.has(name)) continue;
      found.add(name);
      open.push(name);
    }
  }
  reached.set(cause, found);
  return found;
}

const rank = (cause: CauseId): number => CAUSE_IDS.indexOf(cause);
