/**
 * Which role lists which targets after a change to a channel: the channel's own role, or, once it
 * holds more than 1,000 updates, 256 hash bins. The offer policy stays with the channel's role, which
 * every machine reads anyway: a change of it must not cost each of them a whole bin. Pure.
 *
 * Errors: UPB-PUBLISH-UNWRITABLE for a path, UPB-PUBLISH-NOT-LOADED.
 */
import { type Channel, policyPath } from "../ids.ts";
import { allBins, binOf, FLAT_TARGETS } from "./bins.ts";
import { type CurrentRole, readRole } from "./currentRoles.ts";
import {
  binDelegations,
  type DelegationsDocument,
  type RoleRule,
  requireWritablePath,
  type TargetMeta,
} from "./documents.ts";

export type TargetList = Readonly<Record<string, TargetMeta>>;

/** What a role is to say next. */
export interface NextRole {
  readonly version: number;
  readonly targets: TargetList;
  readonly delegations?: DelegationsDocument;
}

/** Only the roles that change, by name. `rule`: who may sign for the channel. */
export function placeTargets(change: {
  current: CurrentRole;
  channel: Channel;
  rule: RoleRule;
  added: ReadonlyMap<string, TargetMeta>;
  removed: readonly string[];
}): Map<string, NextRole> {
  const { current, channel, rule, added, removed } = change;
  for (const path of added.keys()) requireWritablePath(path);
  const role = readRole(current, channel);
  const version = role.version + 1;
  if (role.delegations !== undefined) return changedBins(change);
  const targets = edited(role.targets, added, removed);
  const updates = Object.keys(targets).filter((path) => path.endsWith(".json")).length;
  if (updates <= FLAT_TARGETS) return new Map([[channel, { version, targets }]]);
  const delegations = binDelegations(channel, rule);
  const own = ownTargets(channel, targets);
  const next = new Map<string, NextRole>([[channel, { version, targets: own, delegations }]]);
  const bins = new Map(allBins(channel).map((bin) => [bin, new Map<string, TargetMeta>()]));
  for (const [path, meta] of Object.entries(targets))
    if (!(path in own)) bins.get(binOf(channel, path))?.set(path, meta);
  for (const [bin, content] of bins)
    next.set(bin, { version: 1, targets: Object.fromEntries(content) });
  return next;
}

function changedBins(change: {
  current: CurrentRole;
  channel: Channel;
  added: ReadonlyMap<string, TargetMeta>;
  removed: readonly string[];
}): Map<string, NextRole> {
  const { current, channel, added, removed } = change;
  const touched = new Map<string, { added: Map<string, TargetMeta>; removed: string[] }>();
  const at = (path: string) => {
    const bin = path === policyPath(channel) ? channel : binOf(channel, path);
    const found = touched.get(bin) ?? { added: new Map<string, TargetMeta>(), removed: [] };
    touched.set(bin, found);
    return found;
  };
  for (const [path, meta] of added) at(path).added.set(path, meta);
  for (const path of removed) at(path).removed.push(path);
  return new Map(
    [...touched].map(([bin, edits]) => {
      const { version, targets, delegations } = readRole(current, bin);
      const next = { version: version + 1, targets: edited(targets, edits.added, edits.removed) };
      return [bin, delegations === undefined ? next : { ...next, delegations }];
    }),
  );
}

/** What stays with the channel's role when everything else goes into bins. */
function ownTargets(channel: Channel, targets: TargetList): TargetList {
  const policy = targets[policyPath(channel)];
  return policy === undefined ? {} : { [policyPath(channel)]: policy };
}

function edited(
  targets: TargetList,
  added: ReadonlyMap<string, TargetMeta>,
  removed: readonly string[],
): TargetList {
  const gone = new Set(removed);
  const kept = Object.entries(targets).filter(([path]) => !gone.has(path));
  return Object.fromEntries([...kept, ...added]);
}
