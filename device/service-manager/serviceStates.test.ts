import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  nextServiceState,
  RECOVERY,
  recoveryAfter,
  type ServiceEvent,
  type ServiceState,
  TRANSITIONS,
} from "./serviceStates.ts";

describe("a service", () => {
  it("can be stopped from every state in which it is not stopped or stopping", () => {
    for (const state of Object.keys(TRANSITIONS) as ServiceState[]) {
      const next = nextServiceState(state, "stop");
      if (state === "stopped" || state === "stopping") expect(next).toBeUndefined();
      else expect(["stopping", "stopped"]).toContain(next);
    }
  });

  it("reaches no state that the table does not know, whatever happens in whatever order", () => {
    const events = fc.constantFrom<ServiceEvent>(
      "start",
      "ready",
      "crash",
      "giveUp",
      "stop",
      "exited",
    );
    fc.assert(
      fc.property(fc.array(events), (all) => {
        let state: ServiceState = "stopped";
        for (const event of all) state = nextServiceState(state, event) ?? state;
        expect(Object.keys(TRANSITIONS)).toContain(state);
      }),
    );
  });
});

describe("recovery", () => {
  it("waits 1 s, 2 min and 5 min, then gives up", () => {
    expect(recoveryAfter(RECOVERY, 0, 0)).toMatchObject({ event: "crash", delayMs: 1_000 });
    expect(recoveryAfter(RECOVERY, 1, 0)).toMatchObject({ event: "crash", delayMs: 120_000 });
    expect(recoveryAfter(RECOVERY, 2, 0)).toMatchObject({ event: "crash", delayMs: 300_000 });
    expect(recoveryAfter(RECOVERY, 3, 0)).toEqual({ event: "giveUp", crashesInRow: 4 });
  });

  it("forgets earlier crashes after ten minutes of health, not one millisecond sooner", () => {
    expect(recoveryAfter(RECOVERY, 3, 600_000)).toMatchObject({ event: "crash", crashesInRow: 1 });
    expect(recoveryAfter(RECOVERY, 3, 599_999)).toMatchObject({ event: "giveUp" });
  });
});
