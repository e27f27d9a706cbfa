/** Times as `<input type="datetime-local">` writes them, and the evening of a day. */

/** Ten in the evening, as `upbeat restart tonight`: the day is over, the machine is mostly on. */
const TONIGHT_HOUR = 22;

export function tonightMs(nowMs: number): number {
  const evening = new Date(nowMs);
  evening.setHours(TONIGHT_HOUR, 0, 0, 0);
  if (evening.getTime() <= nowMs) evening.setDate(evening.getDate() + 1);
  return evening.getTime();
}

/** `2026-11-25T18:30` in the browser's time zone. */
export function localInput(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** `2026-11-25` */
export const localDay = (ms: number): string => localInput(ms).slice(0, 10);
