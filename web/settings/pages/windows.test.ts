import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaintenanceWindow } from "../../../protocol/settings.ts";
import { type Choice, choiceOf, newWindow, WEEKDAYS, weekdayOf, withChoice } from "./windows.ts";

const NOW_MS = Date.parse("2026-11-25T09:00:00Z");

describe("a maintenance window", () => {
  it("is valid as it is added, and each choice comes back from the rule that it makes", () => {
    const choice: fc.Arbitrary<Choice> = fc.oneof(
      fc.constantFrom<Choice>({ repeat: "once" }, { repeat: "daily" }),
      fc
        .subarray([...WEEKDAYS], { minLength: 1 })
        .map((days): Choice => ({ repeat: "weekly", days })),
    );
    fc.assert(
      fc.property(choice, (chosen) => {
        const made = MaintenanceWindow.parse(withChoice(newWindow(NOW_MS), chosen));
        expect(choiceOf(made)).toEqual(chosen);
      }),
    );
  });

  it("keeps a rule that nobody can choose here", () => {
    const rule = "FREQ=MONTHLY;BYDAY=2TU";
    const window = { ...newWindow(NOW_MS), rule };
    expect(choiceOf(window)).toEqual({ repeat: "other", rule });
    expect(withChoice(window, choiceOf(window))).toEqual(window);
  });

  it("repeats weekly on the day of its start when the rule names none", () => {
    const window = { ...newWindow(NOW_MS), start: "2026-01-05T02:00", rule: "FREQ=WEEKLY" };
    expect(weekdayOf(window.start)).toBe("MO");
    expect(choiceOf(window)).toEqual({ repeat: "weekly", days: ["MO"] });
  });
});
