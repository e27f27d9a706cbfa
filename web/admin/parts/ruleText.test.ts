import { describe, expect, it } from "vitest";
import { whoOf } from "../../../cli/policy/words.ts";
import { ruleText } from "./ruleText.ts";

describe("rules for people", () => {
  it.each([
    "tag.canary",
    "!tag.lab",
    "os.id=debian,ubuntu",
    "os.version>=12 & os.version<13",
    "tag.till & disk.count=2",
  ])("are said as they are typed: %s", (text) => {
    expect(ruleText(whoOf(text))).toBe(text);
  });

  it("are shown as they are when no command could say them", () => {
    const rule = { any: [{ fact: "a", exists: true }] };
    expect(ruleText(rule)).toBe(JSON.stringify(rule));
  });
});
