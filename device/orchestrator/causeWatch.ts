/**
 * Notices that something has failed here, or goes well again, and wakes the troubleshooter through
 * the service manager, which has the rights to look. Says each change once: what has to be looked at
 * and when is the troubleshooter's own decision.
 */
import { z } from "zod";
import { kindsOfTrouble } from "../../core/diagnosisDue.ts";
import type { UpdateRecord } from "../../protocol/updateServiceApi.ts";
import { callLocal } from "../localClient.ts";
import type { DevicePaths } from "../paths.ts";

const ANSWER_MS = 3_000;

export interface CauseWatch {
  /** Never throws: where no manager answers nobody can be woken. */
  step(known: {
    readonly checkError: string | undefined;
    readonly lastSuccessMs: number | undefined;
    readonly updates: readonly UpdateRecord[];
  }): Promise<void>;
}

export function causeWatch(paths: DevicePaths, now: () => number): CauseWatch {
  let said = "";
  return {
    async step({ checkError, lastSuccessMs, updates }) {
      const kinds = kindsOfTrouble({ checkError, updates, givenUp: [], lastSuccessMs }, now());
      const next = kinds.join("\n");
      if (next === said) return;
      try {
        const path = "/v1/diagnosis";
        await callLocal(paths.managerSocket, "POST", path, z.object({}), {}, ANSWER_MS);
        said = next;
      } catch {
        // The next step says it again.
      }
    },
  };
}
