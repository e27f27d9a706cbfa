/**
 * The settings of a device, each once: what it means, what it may be, what it is when nobody says
 * anything, and who may say something. The one table that files, the signed policy, the Settings
 * page, `upbeat policy show` and the documentation follow.
 *
 * Layers, weakest first: default, user, admin (`etc/upbeat/settings.json`), server (signed). How
 * they combine is each row's `combine`; `core/settings.ts` does it and reports what contradicts.
 * Numbers: windows-update.md section 2 and the design's "Numbers to keep"; where not, the row says.
 */
import { z } from "zod";
import { Product, Version } from "./ids.ts";

export const SETTING_LAYERS = ["default", "user", "admin", "server"] as const;
export type SettingLayer = (typeof SETTING_LAYERS)[number];
type WritableLayer = Exclude<SettingLayer, "default">;

/** An IANA name, e.g. `Europe/Berlin`. `core/timing/zone.ts` knows which exist. */
const TimeZone = z.string().regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,60}$/, "an IANA time zone name");

const ClockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day is HH:MM");

/** Minutes from one time of day to the next occurrence of another; the same twice is a whole day. */
export const minutesBetween = (start: string, end: string): number =>
  ((minuteOfDay(end) - minuteOfDay(start) + 1440 - 1) % 1440) + 1;
/** `08:30` is 510. */
export const minuteOfDay = (time: string): number =>
  Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

export const ACTIVE_HOURS_MAX_MINUTES = 18 * 60;
/** When the person works, in the device's time zone: no restart by itself before the deadline. */
export const ActiveHours = z
  .strictObject({ start: ClockTime, end: ClockTime })
  .refine(
    ({ start, end }) => minutesBetween(start, end) <= ACTIVE_HOURS_MAX_MINUTES,
    "active hours are 18 hours at most, so that some time is left for restarts",
  );
export type ActiveHours = z.infer<typeof ActiveHours>;

/** A recurrence of RFC 5545 and how long each time lasts. */
export const MaintenanceWindow = z.strictObject({
  /** When it first starts, local: `2026-01-05T02:00`. */
  start: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/, "a local time is YYYY-MM-DDTHH:MM"),
  /** An RRULE without its name, e.g. `FREQ=WEEKLY;BYDAY=SA,SU`. Absent: only once. */
  rule: z
    .string()
    .regex(/^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9+,-]+)*$/, "an RRULE of RFC 5545")
    .max(300)
    .optional(),
  durationMinutes: z
    .int()
    .min(15)
    .max(7 * 1440),
  /** Absent: the device's. */
  timeZone: TimeZone.optional(),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

export const PAUSE_MAX_DAYS = 35;
const PAUSE_MAX_MS = PAUSE_MAX_DAYS * 86_400_000;
/** Nothing new is offered until then. Renewed by setting it again. */
export const Pause = z
  .strictObject({ setAt: z.iso.datetime(), until: z.iso.datetime() })
  .refine(
    ({ setAt, until }) => Date.parse(until) - Date.parse(setAt) <= PAUSE_MAX_MS,
    `a pause is ${PAUSE_MAX_DAYS} days at most and can be renewed`,
  );
export type Pause = z.infer<typeof Pause>;

interface SettingRow<Type extends z.ZodType> {
  readonly type: Type;
  readonly default: z.output<Type>;
  readonly unit?: "hours" | "days" | "minutes" | "bytes per second" | "percent";
  readonly layers: readonly WritableLayer[];
  /**
   * highest: the strongest layer that says something. strictest: the value that offers least, so
   * that nothing unsigned can widen an offer and a person can still be more careful.
   */
  readonly combine: "highest" | "strictest";
  /** One plain sentence. */
  readonly text: string;
}
const row = <Type extends z.ZodType>(setting: SettingRow<Type>): SettingRow<Type> => setting;

const ANYONE = ["user", "admin", "server"] as const;
const ADMINISTRATORS = ["admin", "server"] as const;
const Bytes = z.int().min(1_024);

export const SETTINGS = {
  // What is offered
  qualityDeferralDays: row({
    type: z.int().min(0).max(30),
    default: 0,
    unit: "days",
    layers: ANYONE,
    combine: "strictest",
    text: "How long after its publication an update waits; security fixes too, definitions never.",
  }),
  featureDeferralDays: row({
    type: z.int().min(0).max(365),
    default: 0,
    unit: "days",
    layers: ANYONE,
    combine: "strictest",
    text: "How long after its publication a feature update waits.",
  }),
  pause: row({
    type: Pause.nullable(),
    default: null,
    layers: ANYONE,
    combine: "strictest",
    text: "Nothing new is offered until then; at most 35 days at once, renewable.",
  }),
  userMayPause: row({
    type: z.boolean(),
    default: true,
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "Whether a pause that the user sets counts.",
  }),
  targetVersions: row({
    type: z.record(Product, Version),
    default: {},
    layers: ADMINISTRATORS,
    combine: "strictest",
    text: "Products that go to this version at most.",
  }),
  optionalUpdates: row({
    type: z.enum(["show", "hide"]),
    default: "show",
    layers: ANYONE,
    combine: "strictest",
    text: "Whether optional updates are listed; they are never installed without being asked for.",
  }),

  // Checks
  checkIntervalHours: row({
    type: z.int().min(1).max(22),
    default: 22,
    unit: "hours",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "How often the server is asked, less up to a fifth at random.",
  }),

  // What goes by itself
  download: row({
    type: z.enum(["automatic", "ask"]),
    default: "automatic",
    layers: ANYONE,
    combine: "highest",
    text: "Whether updates are downloaded by themselves or when somebody says so.",
  }),
  install: row({
    type: z.enum(["automatic", "ask"]),
    default: "automatic",
    layers: ANYONE,
    combine: "highest",
    text: "Whether updates are installed by themselves or when somebody says so.",
  }),
  restart: row({
    type: z.enum(["automatic", "ask"]),
    default: "automatic",
    layers: ANYONE,
    combine: "highest",
    text: "Whether the machine restarts by itself outside active hours or when somebody says so.",
  }),
  installAtShutdown: row({
    type: z.boolean(),
    default: true,
    layers: ANYONE,
    combine: "highest",
    text: "Whether a shutdown or restart by the person also installs what is downloaded.",
  }),

  // When
  timeZone: row({
    type: TimeZone.nullable(),
    default: null,
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "The time zone of active hours and windows instead of the machine's own.",
  }),
  activeHours: row({
    type: ActiveHours,
    default: { start: "08:00", end: "17:00" },
    layers: ANYONE,
    combine: "highest",
    text: "When the person works: no restart by itself then, before the deadline.",
  }),
  learnActiveHours: row({
    type: z.boolean(),
    default: false,
    layers: ANYONE,
    combine: "highest",
    text: "Whether active hours follow the use of this machine; what is learned stays on it.",
  }),
  maintenanceWindows: row({
    type: z.array(MaintenanceWindow).max(20),
    default: [],
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "Installs and restarts by themselves happen only then; active hours do not count.",
  }),

  // Gates
  downloadOnMetered: row({
    type: z.boolean(),
    default: false,
    layers: ANYONE,
    combine: "highest",
    text: "Whether updates are downloaded over networks that cost by volume.",
  }),
  installOnBattery: row({
    type: z.boolean(),
    default: false,
    layers: ANYONE,
    combine: "highest",
    text: "Whether updates are installed by themselves while the machine runs on battery.",
  }),
  awayAfterMinutes: row({
    // Ours: long enough to have left the desk, short enough for a lunch break.
    type: z.int().min(1).max(240),
    default: 15,
    unit: "minutes",
    layers: ANYONE,
    combine: "highest",
    text: "Without input for so long a person counts as away.",
  }),
  downloadLimit: row({
    type: Bytes.nullable(),
    default: null,
    unit: "bytes per second",
    layers: ANYONE,
    combine: "highest",
    text: "The most that background downloads take.",
  }),
  activeHoursDownloadLimit: row({
    type: Bytes.nullable(),
    default: null,
    unit: "bytes per second",
    layers: ANYONE,
    combine: "highest",
    text: "The most that background downloads take inside active hours.",
  }),

  // Deadlines and restarts
  qualityDeadlineDays: row({
    type: z.int().min(0).max(30).nullable(),
    default: 7,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "Days from the first offer of an update to its deadline; null: it has none.",
  }),
  featureDeadlineDays: row({
    type: z.int().min(0).max(30).nullable(),
    default: 7,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "Days from the first offer of a feature update to its deadline; null: it has none.",
  }),
  graceDays: row({
    type: z.int().min(0).max(7),
    default: 2,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "Days that are left for a restart in any case, however late it became necessary.",
  }),
  engagedRestartDays: row({
    type: z.int().min(2).max(30),
    default: 7,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "A restart that waits this long is not tried by itself any more: the person is asked for a time.",
  }),
  snoozeDays: row({
    type: z.int().min(1).max(3),
    default: 3,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "How far ahead a person can put a restart off at once; never beyond the deadline.",
  }),
  notices: row({
    type: z.enum(["all", "restarts", "none"]),
    default: "all",
    layers: ANYONE,
    combine: "highest",
    text: "Which notices people see: all, only those before a restart, or none (a kiosk).",
  }),
  restartLock: row({
    type: z
      .strictObject({ url: z.url().max(2_000), group: z.string().regex(/^[a-zA-Z0-9.-]{1,64}$/) })
      .nullable(),
    default: null,
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "The FleetLock service that is asked before a restart, and this machine's group there.",
  }),

  // Troubleshooting
  reportDiagnoses: row({
    type: z.boolean(),
    default: false,
    layers: ["user", "admin"],
    combine: "highest",
    text: "Whether the server is told what the troubleshooter finds here, without names and addresses.",
  }),
  repairByItself: row({
    type: z.boolean(),
    default: false,
    layers: ["admin"],
    combine: "highest",
    text: "Whether the troubleshooter, when it runs by itself after a failure, makes the repairs that can do no harm.",
  }),

  // Afterwards
  rollbackDays: row({
    type: z.int().min(2).max(60),
    default: 10,
    unit: "days",
    layers: ADMINISTRATORS,
    combine: "highest",
    text: "How long the version before is kept, so that one can go back.",
  }),
} as const;

export type SettingKey = keyof typeof SETTINGS;
/** Every setting with its effective value. */
export type Settings = { readonly [Key in SettingKey]: z.output<(typeof SETTINGS)[Key]["type"]> };

// Object.keys knows no literal types; the table is frozen above.
export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

type LayerShape<Layer extends WritableLayer> = {
  [Key in SettingKey as Layer extends (typeof SETTINGS)[Key]["layers"][number]
    ? Key
    : never]: z.ZodOptional<(typeof SETTINGS)[Key]["type"]>;
};

function layerShape<Layer extends WritableLayer>(layer: Layer): LayerShape<Layer> {
  const rows = SETTING_KEYS.filter((key) =>
    SETTINGS[key].layers.some((allowed) => allowed === layer),
  ).map((key) => [key, SETTINGS[key].type.optional()]);
  // The filter is what the type says; Object.fromEntries cannot express it.
  return Object.fromEntries(rows) as LayerShape<Layer>;
}

/** Signed: what a later version knows and this one does not is dropped. */
export const ServerSettings = z.object(layerShape("server"));
export type ServerSettings = z.infer<typeof ServerSettings>;
/** Written by hand: an unknown name is a mistake and is said. */
export const AdminSettings = z.strictObject(layerShape("admin"));
export type AdminSettings = z.infer<typeof AdminSettings>;
export const UserSettings = z.strictObject(layerShape("user"));
export type UserSettings = z.infer<typeof UserSettings>;

/** One setting as `upbeat policy show` and the Settings page give it. */
export const EffectiveSetting = z.object({
  key: z.string(),
  value: z.unknown(),
  /** Who set it, and for the server which entry of the policy. */
  setBy: z.enum(SETTING_LAYERS),
  entry: z.string().optional(),
  text: z.string(),
  unit: z.string().optional(),
  /** What other layers say and why it does not count. */
  overruled: z.array(
    z.object({
      layer: z.enum(SETTING_LAYERS),
      entry: z.string().optional(),
      value: z.unknown(),
      because: z.string(),
    }),
  ),
});
export type EffectiveSetting = z.infer<typeof EffectiveSetting>;

export const EffectivePolicy = z.object({
  settings: z.array(EffectiveSetting),
  /** Settings that cannot all be meant: one sentence each, with the names of the settings. */
  contradictions: z.array(z.object({ settings: z.array(z.string()), sentence: z.string() })),
});
export type EffectivePolicy = z.infer<typeof EffectivePolicy>;
