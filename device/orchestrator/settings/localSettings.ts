/**
 * What this machine itself says about its settings: the administrator in `etc/upbeat/settings.json`,
 * a person through the command line or the Settings page.
 *
 * A file that cannot be used is said, and what it last said counts on: a slip in an editor must not
 * let updates in that were held back. When nothing is known of it, nothing goes by itself.
 */
import { lstatSync, readFileSync } from "node:fs";
import { z } from "zod";
import type { SettingsLayer } from "../../../core/settings.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import type { SettingsChange } from "../../../protocol/orchestratorApi.ts";
import { AdminSettings, Pause, UserSettings } from "../../../protocol/settings.ts";
import { whyUnsafe } from "../../limitedProgram.ts";
import type { OrchestratorDatabase } from "../database.ts";

const MAX_BYTES = 256 * 1024;
const NOTHING_BY_ITSELF = { download: "ask", install: "ask", restart: "ask" } as const;

export interface LocalSettings {
  layers(): SettingsLayer[];
  /** Why the administrator's file is not used as it stands. */
  problem(): UpbeatError | undefined;
  /** A person's wishes, kept over restarts. */
  change(change: SettingsChange): void;
}

export function localSettings(
  file: string,
  database: OrchestratorDatabase,
  now: () => number,
): LocalSettings {
  const user = (): UserSettings => database.recall("userSettings", UserSettings) ?? {};

  const admin = (): { values: AdminSettings; problem: UpbeatError | undefined } => {
    try {
      const values = readAdminFile(file);
      const text = JSON.stringify(values);
      if (database.recall("adminSettings", z.string()) !== text) {
        database.remember("adminSettings", text);
      }
      return { values, problem: undefined };
    } catch (cause) {
      const last = database.recall("adminSettings", z.string());
      const values = last === undefined ? NOTHING_BY_ITSELF : AdminSettings.parse(JSON.parse(last));
      return { values, problem: unusable(file, cause) };
    }
  };

  return {
    layers() {
      const all: SettingsLayer[] = [
        { layer: "user", values: user() },
        { layer: "admin", values: admin().values },
      ];
      return all.filter(({ values }) => Object.keys(values).length > 0);
    },
    problem: () => admin().problem,
    change({ set, unset }) {
      const next: Record<string, unknown> = { ...user(), ...stamped(set, now()) };
      for (const key of unset) delete next[key];
      database.remember("userSettings", UserSettings.parse(next));
    },
  };
}

/** A pause counts from now, whatever the one who asks says: it could reach for years otherwise. */
function stamped(set: UserSettings, nowMs: number): UserSettings {
  if (set.pause === undefined || set.pause === null) return set;
  const pause = Pause.safeParse({ ...set.pause, setAt: new Date(nowMs).toISOString() });
  if (pause.success) return { ...set, pause: pause.data };
  throw new UpbeatError("UPB-SETTINGS-REFUSED", {
    object: "pause",
    detail: z.prettifyError(pause.error),
  });
}

function readAdminFile(file: string): AdminSettings {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return {};
  const unsafe = whyUnsafe(file, "file");
  if (unsafe !== undefined) throw new Error(unsafe);
  if (lstatSync(file).size > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
  const parsed = AdminSettings.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (parsed.success) return parsed.data;
  throw new Error(z.prettifyError(parsed.error));
}

const unusable = (object: string, cause: unknown): UpbeatError =>
  new UpbeatError("UPB-SETTINGS-FILE", {
    object,
    detail: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
