/** A value that is changed here and set as a whole: half of a change is no wish. */
import { useEffect, useState } from "react";

export interface Draft<T> {
  readonly value: T;
  /** It differs from what is in force. */
  readonly isChanged: boolean;
  readonly set: (value: T) => void;
}

/** Starts anew when something else comes into force. */
export function useDraft<T>(inForce: T): Draft<T> {
  const text = JSON.stringify(inForce);
  const [value, set] = useState(inForce);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is the value
  useEffect(() => set(inForce), [text]);
  return { value, isChanged: JSON.stringify(value) !== text, set };
}
