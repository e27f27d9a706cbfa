/** A server that fails while the update service downloads: nothing changes, and it goes on later. */
import { afterEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../protocol/errors/catalogue.ts";
import { type FaultyDevice, faultyDevice } from "../support/faultyDevice.ts";
import type { Fault } from "../support/staticRepository.ts";

let device: FaultyDevice;
afterEach(() => device.close());

describe("a server that", () => {
  it.each<[string, Fault, RegExp, ErrorCode]>([
    ["is down", { kind: "down" }, /^/, "UPB-FETCH-UNREACHABLE"],
    ["is overloaded", { kind: "busy", retryAfterSeconds: 0 }, /^/, "UPB-FETCH-SERVER-BUSY"],
    [
      "sends one byte a second",
      { kind: "slow", bytesPerSecond: 1 },
      /metadata/,
      "UPB-FETCH-TOO-SLOW",
    ],
    [
      "cuts metadata off",
      { kind: "truncate", atByte: 10 },
      /metadata\/timestamp/,
      "UPB-FETCH-TRUNCATED",
    ],
    [
      "promises more metadata than it sends",
      { kind: "wrong-length" },
      /metadata\/timestamp/,
      "UPB-FETCH-TRUNCATED",
    ],
    ["answers with a login page", { kind: "html" }, /metadata/, "UPB-TRUST-MALFORMED"],
    ["sends other content", { kind: "corrupt" }, /content/, "UPB-DOWNLOAD-WRONG-CONTENT"],
  ])(
    "%s is named, the machine stays as it was, and the update installs once it is well",
    async (_, fault, where, code) => {
      device = await faultyDevice();
      device.releases.server.fail(fault, where);
      device.expectFailed(await device.download("2.0.0"), code);
      device.releases.server.fail(undefined);
      expect(await device.download("2.0.0")).toMatchObject({ state: "downloaded" });
      expect(await device.install("2.0.0")).toMatchObject({ state: "installed" });
      expect(device.current()).toBe("2.0.0");
    },
    90_000,
  );
});
