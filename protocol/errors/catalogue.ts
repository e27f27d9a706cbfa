/**
 * Every error that any part of Upbeat can raise, listed once. `docs/errors.md` is printed from here.
 *
 * Codes read `UPB-LAYER-WHAT`. Each layer's rows stand in a file of their own beside this one.
 */
import { CLI_ERRORS } from "./cli.ts";
import { CONTENT_ERRORS } from "./content.ts";
import { DEVICE_ERRORS } from "./device.ts";
import { FETCH_ERRORS } from "./fetch.ts";
import { POLICY_ERRORS } from "./policy.ts";
import { SERVER_ERRORS } from "./server.ts";
import { SETTINGS_PAGE_ERRORS } from "./settingsPage.ts";
import { TRUST_ERRORS } from "./trust.ts";

/** Where in an update's life it happens. */
export const STAGES = [
  "set-up",
  "publish",
  "scan",
  "evaluate",
  "download",
  "verify",
  "install",
  "health-check",
  "commit",
  "rollback",
  "report",
  "service",
] as const;

/** Whether trying again can help, and who has to act if not. */
export const RETRY_CLASSES = [
  /** Wait and try again: it passes by itself. */
  "transient",
  /** Something on this machine is broken and must be repaired first. */
  "local-damage",
  /** A setting is wrong. */
  "configuration",
  /** The server or what was published is wrong. */
  "server",
  /** The person at the machine must do something. */
  "user",
  /** Not a failure: why nothing was done. */
  "information",
] as const;

export interface ErrorRow {
  readonly stage: (typeof STAGES)[number];
  /** One sentence without its object and without a full stop. */
  readonly text: string;
  readonly causes: readonly string[];
  /** An action for the reader, naming a command where there is one. */
  readonly remedy: string;
  readonly retry: (typeof RETRY_CLASSES)[number];
}

export const CATALOGUE = {
  ...TRUST_ERRORS,
  ...FETCH_ERRORS,
  ...CONTENT_ERRORS,
  ...DEVICE_ERRORS,
  ...POLICY_ERRORS,
  ...SERVER_ERRORS,
  ...CLI_ERRORS,
  ...SETTINGS_PAGE_ERRORS,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof CATALOGUE;

/** Undefined: another version of Upbeat made the code. */
export const catalogueRow = (code: string): ErrorRow | undefined =>
  Object.hasOwn(CATALOGUE, code) ? CATALOGUE[code as ErrorCode] : undefined;
