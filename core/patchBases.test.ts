import { describe, expect, it } from "vitest";
import { Version } from "../protocol/ids.ts";
import { patchBases } from "./patchBases.ts";

const version = (text: string) => Version.parse(text);
const versions = (...texts: string[]) => texts.map(version);
const installed = (counts: Record<string, number>) =>
  Object.entries(counts).map(([text, devices]) => ({ version: version(text), devices }));

describe("the versions that get a patch", () => {
  it("are the three before, whatever the order in which they are listed", () => {
    const listed = versions("1.10", "1.2", "1.9", "1.1", "2.0");
    expect(patchBases(version("1.11"), listed, [])).toEqual(["1.10", "1.9", "1.2"]);
  });

  it("and those that most devices have, however old, if they are still listed", () => {
    const listed = versions("1.0", "1.1", "1.2", "1.3", "1.4", "1.5");
    const counts = installed({ "1.0": 900, "1.1": 0, "0.9": 5_000, "1.6": 70 });
    expect(patchBases(version("1.6"), listed, counts)).toEqual(["1.5", "1.4", "1.3", "1.0"]);
  });

  it("are never more than a server has room for", () => {
    const listed = Array.from({ length: 60 }, (_, minor) => version(`1.${minor}`));
    const counts = listed.map((one, index) => ({ version: one, devices: 100 - index }));
    expect(patchBases(version("2.0"), listed, counts)).toHaveLength(8);
  });

  it("of a version that is published are only those that devices report", () => {
    const listed = versions("1.0", "1.1", "1.2");
    expect(patchBases(version("1.2"), listed, installed({ "1.0": 1 }))).toEqual(["1.0"]);
  });
});
