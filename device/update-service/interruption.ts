/**
 * Lets work that the machine began by itself be stopped where it is, when somebody comes back to it.
 *
 * File work goes through many hands, and each of them takes a breath every few milliseconds
 * (`hashFile.ts`); there it ends. So the signal travels with the work (AsyncLocalStorage) and not
 * through the arguments of everything that hashes or copies.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const stopping = new AsyncLocalStorage<AbortSignal>();

/** All of `work` must be safe to repeat. It rejects with an error that `isStopped` knows. */
export const stoppable = <Result>(
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> => stopping.run(signal, work);

/** Of the work in hand; undefined: it goes on to its end. */
export const stopSignal = (): AbortSignal | undefined => stopping.getStore();

/** Ends the work in hand if it was told to stop. */
export const stopIfAsked = (): void => stopSignal()?.throwIfAborted();

/** Not an error of ours: nobody who looks for those takes it for a damaged file or a lost server. */
export const isStopped = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "AbortError";
