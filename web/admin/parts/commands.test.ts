import { describe, expect, it } from "vitest";
import { momentOf, ringOf } from "../../../cli/policy/words.ts";
import { command, momentText, ringText, shellWord } from "./commands.ts";

describe("the commands that pages end in", () => {
  it("leave plain words as they are and quote what a shell would touch", () => {
    expect(shellWord("kiosk@1.4.0")).toBe("kiosk@1.4.0");
    expect(shellWord("it's dark; $(reboot)")).toBe(`'it'\\''s dark; $(reboot)'`);
    expect(shellWord("")).toBe("''");
  });

  it("leave out options that say nothing", () => {
    const options = [
      ["--text", undefined],
      ["--channel", ""],
      ["--id", "a b"],
    ] as const;
    expect(command(["rollouts", "pause", "kiosk"], options)).toBe(
      "upbeat rollouts pause kiosk --id 'a b'",
    );
  });

  it("say rings and moments as the command line reads them", () => {
    const start = "2026-12-01T08:30";
    const text = ringText({ name: "broad", who: "tag.till", start, curve: "10,50@24h,100@3d" });
    expect(ringOf(text, 0)).toMatchObject({
      name: "broad",
      startsAt: new Date(start).toISOString(),
      who: { fact: "tag.till", exists: true },
    });
    expect(momentOf(momentText(start), 0)).toBe(new Date(start).toISOString());
  });
});
