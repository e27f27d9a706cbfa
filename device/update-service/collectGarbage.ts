/**
 * Keeps memory flat while gigabytes pass through buffers that libraries allocate. V8 frees those when
 * its heap fills or 64 MB of them have come together, which is more than this service may have
 * besides itself; so it is asked for a small collection (a millisecond) every few megabytes.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const EVERY_BYTES = 8 * 1024 * 1024;
/** Every so many of them is a whole one: what lives through two small ones is not seen by them again. */
const WHOLE_EVERY = 8;

type Collect = (options: { type: "minor" | "major" }) => void;
let collect: Collect | undefined;
let passedBytes = 0;
let times = 0;

/** Call it with what has passed. */
export function passed(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < EVERY_BYTES) return;
  passedBytes = 0;
  collect ??= exposed();
  times += 1;
  collect({ type: times % WHOLE_EVERY === 0 ? "major" : "minor" });
}

function exposed(): Collect {
  setFlagsFromString("--expose-gc");
  // A context that is made after the flag has the function; this one has not.
  const found = runInNewContext("gc") as Collect;
  setFlagsFromString("--no-expose-gc");
  return found;
}
