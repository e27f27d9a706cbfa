import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RETRY_CLASSES } from "../protocol/errors/catalogue.ts";
import { type Failure, RETRY_RULES, retryOf } from "./retry.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse("2026-03-10T12:00:00Z");

describe("a failed update", () => {
  it("is tried again after 8 hours, then twice as long, never longer than two weeks", () => {
    const codes = ["UPB-A", "UPB-B", "UPB-C", "UPB-D", "UPB-E", "UPB-F", "UPB-G", "UPB-H", "UPB-I"];
    const waits = codes.map((_, at) => {
      const list = codes.slice(0, at + 1).map((code) => failure({ code, retry: "server" }));
      const retry = retryOf(list, NOW_MS);
      return retry.is === "wait" ? (retry.untilMs - NOW_MS) / HOUR_MS : retry.is;
    });
    expect(waits).toEqual([8, 16, 32, 64, 128, 256, 336, 336, 336]);
  });

  it("waits twice as long after a restart that failed", () => {
    const retry = retryOf([failure({ retry: "server", afterRestart: true })], NOW_MS);
    expect(retry).toMatchObject({ is: "wait", untilMs: NOW_MS + 16 * HOUR_MS });
  });

  it("is held when it always fails in the same way, and says how often and why", () => {
    const same = (count: number) => Array(count).fill(failure({ retry: "local-damage" }));
    expect(retryOf(same(4), NOW_MS).is).toBe("wait");
    expect(retryOf(same(5), NOW_MS)).toEqual({
      is: "held",
      failures: 5,
      because: "It broke (UPB-A).",
    });
    const mixed = [...same(4), failure({ retry: "local-damage", code: "UPB-B" })];
    expect(retryOf(mixed, NOW_MS).is).toBe("wait");
  });

  it("by something that passes is never held, however often", () => {
    const list = Array(200).fill(failure({ retry: "transient" }));
    expect(retryOf(list, NOW_MS)).toMatchObject({ is: "wait", untilMs: NOW_MS + 8 * HOUR_MS });
  });

  it("that a person must help is not tried again by itself", () => {
    expect(retryOf([failure({ retry: "user" })], NOW_MS).is).toBe("held");
  });

  it("waits no longer than its rule says, whatever the clock did", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            retry: fc.constantFrom(...RETRY_CLASSES),
            code: fc.constantFrom("A", "B"),
            offset: fc.integer({ min: -1e10, max: 1e10 }),
          }),
          { minLength: 1, maxLength: 9 },
        ),
        (list) => {
          const failures = list.map(({ offset, ...it }) => ({
            ...failure(it),
            atMs: NOW_MS + offset,
          }));
          const retry = retryOf(failures, NOW_MS);
          if (retry.is !== "wait") return;
          const longest = RETRY_RULES[failures.at(-1)?.error.retry ?? "user"].delaysMs.at(-1) ?? 0;
          expect(retry.untilMs).toBeGreaterThan(NOW_MS);
          expect(retry.untilMs).toBeLessThanOrEqual(NOW_MS + longest);
        },
      ),
    );
  });
});

function failure(differs: {
  retry: Failure["error"]["retry"];
  code?: string;
  afterRestart?: boolean;
}): Failure {
  const { retry, code = "UPB-A", afterRestart = false } = differs;
  return { atMs: NOW_MS, error: { code, text: "It broke", retry }, afterRestart };
}
