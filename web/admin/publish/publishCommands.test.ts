import { describe, expect, it } from "vitest";
import { EMPTY_DRAFT, missingIn, publishCommands } from "./publishCommands.ts";

const SERVER = "http://127.0.0.1:8530";
const draft = { ...EMPTY_DRAFT, folder: "./build", product: "kiosk", version: "1.4.0" };

describe("the guide to publishing", () => {
  it("says only what is not meant anyway", () => {
    expect(publishCommands(draft, [], SERVER)).toEqual([
      `upbeat publish ./build --product kiosk --version 1.4.0 --server ${SERVER}`,
    ]);
    expect(publishCommands({ ...draft, classification: "security" }, [], SERVER)[0]).toContain(
      "--classification security",
    );
  });

  it("puts the rollout before the update, so that nobody is offered it in between", () => {
    const ring = { name: "canary", who: "tag.canary", start: "", curve: "" };
    expect(publishCommands(draft, [ring], SERVER)).toEqual([
      `upbeat rollouts create kiosk@1.4.0 --ring 'canary who=tag.canary' --server ${SERVER}`,
      `upbeat publish ./build --product kiosk --version 1.4.0 --server ${SERVER}`,
    ]);
  });

  it("says what is missing", () => {
    expect(missingIn({ ...draft, folder: "  " })).toEqual(["folder"]);
  });
});
