/** This machine's clock against the server's, against what signed metadata has shown (row 9). */
import { join } from "node:path";
import { z } from "zod";
import { metadataStore } from "../../../content/metadataStore.ts";
import { check, type Seen } from "../check.ts";
import { synchroniseClock } from "../probes/clock.ts";

const Facts = z.object({
  server: z.object({ serverMs: z.number(), hereMs: z.number(), verified: z.boolean() }).optional(),
  /** No time before this is believed: signed metadata has shown it. */
  floorMs: z.number().optional(),
});

/** Less harms nobody: certificates and metadata live for hours at least, and HTTP counts seconds. */
const MAX_SKEW_MS = 5 * 60_000;

export const clock = check({
  id: "clock",
  title: "Clock",
  rows: [9],
  facts: Facts,
  async look(machine) {
    const server = (await machine.server())?.clock;
    const marks = metadataStore(join(machine.paths.updateServiceState, "metadata")).readMarks();
    return {
      ...(server === undefined ? {} : { server }),
      ...(marks === undefined ? {} : { floorMs: marks.timeFloorMs }),
    };
  },
  judge({ server, floorMs }, nowMs): Seen[] {
    const evidence: string[] = [];
    if (server !== undefined) {
      const skew = server.hereMs - server.serverMs;
      if (Math.abs(skew) > MAX_SKEW_MS)
        evidence.push(
          `here it is ${iso(server.hereMs)}, at the server ${iso(server.serverMs)}: ${span(skew)}`,
        );
    }
    // Only a hint: a network that lies about certificates may lie about the time too.
    if (floorMs !== undefined && nowMs < floorMs - MAX_SKEW_MS)
      evidence.push(`signed metadata has already shown ${iso(floorMs)}; here it is ${iso(nowMs)}`);
    return evidence.length === 0 ? [] : [{ cause: "clock-wrong", object: "clock", evidence }];
  },
  repairs: {
    "clock-wrong": {
      what: "Ask the machine's time service to set the clock now",
      apply: async () => [await synchroniseClock()],
    },
  },
});

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const text = minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
  return `it is ${text} ${ms > 0 ? "ahead" : "behind"}`;
}
