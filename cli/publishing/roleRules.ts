/**
 * Who may sign what, as the signed metadata says: key ids and thresholds, and the raw public keys
 * that the next metadata has to name again. Errors: UPB-CLI-NOT-FOUND.
 */
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { RoleRule } from "../../protocol/trust/documents.ts";
import type { RoleKeys } from "../../protocol/trust/keys.ts";
import { isTopLevel } from "../../protocol/trust/roleNames.ts";
import type { CurrentRole } from "../../protocol/trust/writer.ts";

const Keys = z.record(z.string(), z.looseObject({ keyval: z.object({ public: z.string() }) }));
const Rule = z.object({ keyids: z.array(z.string()), threshold: z.int() });
const Root = z.object({ signed: z.object({ keys: Keys, roles: z.record(z.string(), Rule) }) });
const Targets = z.object({
  signed: z.object({
    delegations: z.object({ keys: Keys, roles: z.array(Rule.extend({ name: z.string() })) }),
  }),
});

/** `current` gives verified metadata only. */
export function ruleOf(current: CurrentRole, role: string): RoleRule & RoleKeys {
  const { keys, rule } = isTopLevel(role) ? topLevel(current, role) : delegated(current, role);
  if (rule === undefined) throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `role ${role}` });
  const hex = rule.keyids.map((id) =>
    Object.hasOwn(keys, id) ? keys[id]?.keyval.public : undefined,
  );
  return {
    keyIds: rule.keyids,
    threshold: rule.threshold,
    keys: hex.filter((one): one is string => one !== undefined),
  };
}

export const channelsOf = (current: CurrentRole): string[] =>
  readDelegations(current).roles.map((role) => role.name);

function topLevel(current: CurrentRole, role: string) {
  const { keys, roles } = Root.parse(read(current, "root")).signed;
  return { keys, rule: Object.hasOwn(roles, role) ? roles[role] : undefined };
}

function delegated(current: CurrentRole, role: string) {
  const { keys, roles } = readDelegations(current);
  return { keys, rule: roles.find((one) => one.name === role) };
}

const readDelegations = (current: CurrentRole) =>
  Targets.parse(read(current, "targets")).signed.delegations;

function read(current: CurrentRole, role: string): unknown {
  const bytes = current(role);
  if (bytes === undefined) throw new UpbeatError("UPB-CLI-NOT-FOUND", { object: `role ${role}` });
  return JSON.parse(new TextDecoder().decode(bytes));
}
