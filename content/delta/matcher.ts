/**
 * Which old bytes the new ones came from: Colin Percival's bsdiff ("Naive differences of executable
 * code", 2003) on a hash index. A match may contain differing bytes; a new one is begun only where
 * it explains `minGain` bytes more than staying with the current one.
 */
import { viewOf } from "./byteSource.ts";
import type { HashIndex } from "./hashIndex.ts";
import { OpList, type Ops } from "./ops.ts";

/** So many equal bytes at the current alignment are taken without asking the index. */
const STAY_BYTES = 32;

export function matchBytes(
  old: Uint8Array,
  fresh: Uint8Array,
  index: HashIndex,
  minGain: number,
): Ops {
  const ops = new OpList();
  const view = viewOf(fresh);
  const size = fresh.length;
  let scan = 0;
  let length = 0;
  let place = 0;
  // The match so far: new bytes from `lastScan` on came from `lastPlace` on.
  let lastScan = 0;
  let lastPlace = 0;
  let lastShift = 0;
  while (scan < size) {
    let oldScore = 0;
    scan += length;
    let scored = scan;
    length = 0;
    for (; scan < size; scan++) {
      const stay = equalRun(old, scan + lastShift, fresh, scan);
      if (stay === STAY_BYTES) {
        length = stay;
        oldScore = stay;
        break;
      }
      length = index.longest(fresh, view, scan);
      if (length > 0) place = index.found;
      const end = scan + length;
      for (; scored < end; scored++) {
        if (old[scored + lastShift] === fresh[scored]) oldScore++;
      }
      if ((length === oldScore && length !== 0) || length > oldScore + minGain) break;
      if (scored > scan) {
        if (old[scan + lastShift] === fresh[scan]) oldScore--;
      } else {
        scored = scan + 1;
      }
    }
    if (length === oldScore && scan < size) continue;
    const atEnd = scan >= size;
    if (atEnd) scan = size;
    let forward = forwardLength(old, lastPlace, fresh, lastScan, scan);
    let backward = atEnd ? 0 : backwardLength(old, place, fresh, scan, lastScan);
    const overlap = lastScan + forward - (scan - backward);
    if (overlap > 0) {
      const kept = splitOverlap(
        old,
        fresh,
        overlap,
        lastPlace + forward,
        lastScan + forward,
        place - backward,
        scan - backward,
      );
      forward += kept - overlap;
      backward -= kept;
    }
    ops.add(lastPlace, forward, scan - backward - (lastScan + forward));
    lastScan = scan - backward;
    lastPlace = place - backward;
    lastShift = place - scan;
  }
  return ops.finish();
}

function equalRun(old: Uint8Array, place: number, fresh: Uint8Array, at: number): number {
  if (place < 0) return 0;
  let run = 0;
  while (run < STAY_BYTES && at + run < fresh.length && old[place + run] === fresh[at + run]) run++;
  return run;
}

/** How far the match before goes on: as long as at least half of the bytes are equal. */
function forwardLength(
  old: Uint8Array,
  place: number,
  fresh: Uint8Array,
  from: number,
  to: number,
): number {
  const limit = Math.min(to - from, old.length - place);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 0; i < limit; ) {
    balance += old[place + i] === fresh[from + i] ? 1 : -1;
    i++;
    if (balance > best) {
      best = balance;
      length = i;
    }
  }
  return length;
}

function backwardLength(
  old: Uint8Array,
  place: number,
  fresh: Uint8Array,
  at: number,
  floor: number,
): number {
  const limit = Math.min(at - floor, place);
  let balance = 0;
  let best = 0;
  let length = 0;
  for (let i = 1; i <= limit; i++) {
    balance += old[place - i] === fresh[at - i] ? 1 : -1;
    if (balance > best) {
      best = balance;
      length = i;
    }
  }
  return length;
}

/** Of the bytes that both matches claim, how many the one before keeps. */
function splitOverlap(
  old: Uint8Array,
  fresh: Uint8Array,
  overlap: number,
  firstPlaceEnd: number,
  firstEnd: number,
  secondPlace: number,
  second: number,
): number {
  let balance = 0;
  let best = 0;
  let kept = 0;
  for (let i = 0; i < overlap; i++) {
    if (fresh[firstEnd - overlap + i] === old[firstPlaceEnd - overlap + i]) balance++;
    if (fresh[second + i] === old[secondPlace + i]) balance--;
    if (balance > best) {
      best = balance;
      kept = i + 1;
    }
  }
  return kept;
}
