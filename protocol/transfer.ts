/**
 * How a device fetches: which copies of the content it asks, through which proxy, how fast. Part of
 * `device.json`, so that only root decides it; never part of what passes over the socket.
 */
import { z } from "zod";

/** `HH:MM`, local time of the machine. */
const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "a time of day is HH:MM");

/** Slower than this nothing would ever be finished. */
const Rate = z.int().min(1_000);

/** What is asked for by a person is foreground; what the schedule does by itself is background. */
export const TRANSFER_KINDS = ["foreground", "background"] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

/** The first rule that holds at a moment counts; without one there is no limit. */
export const BandwidthRule = z.strictObject({
  /** Without both: always. `from` later than `to`: over midnight. */
  from: TimeOfDay.optional(),
  to: TimeOfDay.optional(),
  /** Bytes per second, all transfers together; without it there is no limit then. */
  foreground: Rate.optional(),
  background: Rate.optional(),
});
export type BandwidthRule = z.infer<typeof BandwidthRule>;

const HttpUrl = z.url({ protocol: /^https?$/ });

export const TransferSettings = z.strictObject({
  /** Copies of the server's content, asked in this order before the server itself. */
  mirrors: z.array(HttpUrl).max(16).default([]),
  /** Before the proxies of the environment. `except`: as `NO_PROXY` lists hosts. */
  proxy: z
    .strictObject({
      http: HttpUrl.optional(),
      https: HttpUrl.optional(),
      except: z.string().optional(),
    })
    .optional(),
  bandwidth: z.array(BandwidthRule).max(48).default([]),
});
export type TransferSettings = z.infer<typeof TransferSettings>;

export const NO_SETTINGS: TransferSettings = { mirrors: [], bandwidth: [] };
