/**
 * Reads the metadata that the writer goes on from. It is verified already: only its shape is read.
 *
 * Errors: UPB-PUBLISH-NOT-LOADED.
 */
import { z } from "zod";
import { UpbeatError } from "../errors/error.ts";
import type { RoleRule } from "./documents.ts";

/** The newest signed metadata of a role, already verified; undefined: there is none. */
export type CurrentRole = (role: string) => Uint8Array | undefined;

const KeyObject = z.object({
  keytype: z.literal("ed25519"),
  scheme: z.literal("ed25519"),
  keyval: z.object({ public: z.string() }),
});
const RoleKeys = z.object({ keyids: z.array(z.string()), threshold: z.int() });
const Versioned = z.object({ version: z.int().positive() });
const RoleDocument = Versioned.extend({
  targets: z.record(
    z.string(),
    z.object({ length: z.int(), hashes: z.object({ sha256: z.string() }) }),
  ),
  /** Passed on as they are. */
  delegations: z.looseObject({ keys: z.record(z.string(), KeyObject) }).optional(),
});
export type RoleDocument = z.infer<typeof RoleDocument>;

const Delegator = z.object({
  delegations: z.object({
    keys: z.record(z.string(), KeyObject),
    roles: z.array(RoleKeys.extend({ name: z.string() })),
  }),
});

export const readRole = (current: CurrentRole, role: string): RoleDocument =>
  RoleDocument.parse(readSigned(current, role));

export const versionOf = (current: CurrentRole, role: string): number =>
  Versioned.parse(readSigned(current, role)).version;

/** Who may sign for a channel, as the top-level targets say. */
export function ruleOfChannel(current: CurrentRole, channel: string): RoleRule {
  const { keys, roles } = Delegator.parse(readSigned(current, "targets")).delegations;
  const found = roles.find((role) => role.name === channel);
  if (found === undefined) {
    const detail = "the top-level targets know no such channel";
    throw new UpbeatError("UPB-PUBLISH-NOT-LOADED", { object: channel, detail });
  }
  return {
    threshold: found.threshold,
    keys: found.keyids.flatMap((id) => {
      const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
      return key === undefined ? [] : [key.keyval.public];
    }),
  };
}

function readSigned(current: CurrentRole, role: string): unknown {
  const bytes = current(role);
  if (bytes === undefined) throw new UpbeatError("UPB-PUBLISH-NOT-LOADED", { object: role });
  return z.object({ signed: z.unknown() }).parse(JSON.parse(new TextDecoder().decode(bytes)))
    .signed;
}
