/**
 * Active hours: whether a moment lies in them, and when that changes. Pure; milliseconds.
 *
 * They are read off the wall clock, so that on the two odd nights of a year they are as long or as
 * short as the clock makes them.
 */
import { type ActiveHours, minuteOfDay } from "../../protocol/settings.ts";
import type { Zone } from "./zone.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Start belongs to them, end does not; they may go over midnight. */
export function isActiveAt(hours: ActiveHours, zone: Zone, atMs: number): boolean {
  return isBetween(minuteOfDay(hours.start), minuteOfDay(hours.end), zone, atMs);
}

/** The next moment at which `isActiveAt` changes. */
export function activeHoursChangeMs(hours: ActiveHours, zone: Zone, nowMs: number): number {
  const [start, end] = [minuteOfDay(hours.start), minuteOfDay(hours.end)];
  const active = isBetween(start, end, zone, nowMs);
  const localMs = zone.localMs(nowMs);
  const today = localMs - mod(localMs, DAY_MS);
  // A jump of the clock can itself lead in or out.
  const jump = zone.nextJumpMs(nowMs);
  const candidates: number[] = jump === undefined ? [] : [jump];
  // A time that the clock shows twice counts both times: by the offset of now and by that after it.
  const offsets = [nowMs, ...candidates].map((ms) => zone.localMs(ms) - ms);
  for (let day = -1; day <= 2; day++) {
    for (const minute of [start, end]) {
      const local = today + day * DAY_MS + minute * MINUTE_MS;
      candidates.push(zone.atMs(local), ...offsets.map((offset) => local - offset));
    }
  }
  const changes = candidates.filter(
    (ms) => ms > nowMs && isBetween(start, end, zone, ms) !== active,
  );
  return changes.length === 0 ? nowMs + DAY_MS : Math.min(...changes);
}

function isBetween(start: number, end: number, zone: Zone, atMs: number): boolean {
  const minute = Math.floor(mod(zone.localMs(atMs), DAY_MS) / MINUTE_MS);
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

const mod = (value: number, by: number): number => ((value % by) + by) % by;
