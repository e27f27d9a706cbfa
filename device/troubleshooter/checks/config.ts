/** Enrolled, with a readable configuration and the root that says whose signatures count (rows 18 and 28). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { metadataStore } from "../../../content/metadataStore.ts";
import { UpbeatError } from "../../../protocol/errors/error.ts";
import { openCached } from "../../../protocol/trust/client.ts";
import { readDeviceConfig } from "../../deviceConfig.ts";
import { check, type Seen } from "../check.ts";

const Facts = z.object({
  config: z.enum(["fine", "missing", "damaged"]),
  file: z.string(),
  says: z.string().optional(),
  /** Undefined: it can be used. */
  rootError: z.string().optional(),
  rootFile: z.string(),
});

export const config = check({
  id: "enrolment",
  title: "Enrolment and configuration",
  rows: [18, 28],
  facts: Facts,
  async look({ paths, nowMs }) {
    const files = { file: paths.config, rootFile: paths.trustedRoot };
    try {
      if (readDeviceConfig(paths) === undefined) return { ...files, config: "missing" as const };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const says = (cause instanceof Error ? cause.message : String(cause)).slice(0, 400);
      return { ...files, config: "damaged" as const, says };
    }
    const trustedRoot = await readFile(paths.trustedRoot).catch(() => undefined);
    const rootError =
      trustedRoot === undefined
        ? "it cannot be read"
        : await whyUnusable(trustedRoot, join(paths.troubleshooterState, "none"), nowMs);
    return { ...files, config: "fine" as const, ...(rootError === undefined ? {} : { rootError }) };
  },
  judge(facts): Seen[] {
    if (facts.config === "missing")
      return [{ cause: "not-enrolled", object: facts.file, evidence: ["there is no such file"] }];
    if (facts.config === "damaged")
      return [
        { cause: "config-damaged", object: facts.file, evidence: [facts.says ?? "unreadable"] },
      ];
    if (facts.rootError === undefined) return [];
    return [{ cause: "trusted-root-damaged", object: facts.rootFile, evidence: [facts.rootError] }];
  },
});

/** Opened as the client opens it, over a store that holds nothing: only the root itself is judged. */
async function whyUnusable(
  trustedRoot: Uint8Array,
  emptyFolder: string,
  nowMs: number,
): Promise<string | undefined> {
  try {
    await openCached({ trustedRoot, store: metadataStore(emptyFolder), now: () => nowMs });
    return undefined;
  } catch (error) {
    if (error instanceof UpbeatError && error.code === "UPB-TRUST-ROOT") return error.message;
    return undefined;
  }
}
