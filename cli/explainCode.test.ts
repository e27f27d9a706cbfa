import fc from "fast-check";
import { expect, it } from "vitest";
import { CATALOGUE } from "../protocol/errors/catalogue.ts";
import { WINDOWS_CODES } from "../protocol/errors/windowsUpdate.ts";
import { testWorld } from "../tests/support/cliWorld.ts";
import { EXIT } from "./exitCodes.ts";
import { KNOWN_CODES, meantBy } from "./explainCode.ts";
import { run } from "./run.ts";

const call = async (...args: string[]) => {
  const world = testWorld(["explain", ...args]);
  return { exitCode: await run(world), ...world.printed };
};

it("takes every code of ours, however it is written", () => {
  for (const code of Object.keys(CATALOGUE)) {
    expect(meantBy(code)).toEqual({ is: "ours", code });
    expect(meantBy(` ${code.toLowerCase()} `)).toEqual({ is: "ours", code });
  }
});

it("takes every code of Windows Update as people write it: by name, as a number of either base and sign", () => {
  for (const windows of WINDOWS_CODES) {
    const bits = Number.parseInt(windows.hex, 16);
    const written = [
      `0x${windows.hex}`,
      windows.hex.toLowerCase(),
      windows.name,
      windows.name.toLowerCase(),
      String(bits | 0),
      ...(bits >= 2 ** 31 ? [String(bits)] : []),
    ];
    for (const text of written) expect(meantBy(text), text).toEqual({ is: "windows", windows });
  }
});

it("has for each of them a sentence of its own and something here that it leads to", () => {
  const hexes = WINDOWS_CODES.map(({ hex }) => hex);
  expect(new Set(hexes).size).toBe(hexes.length);
  for (const { hex, means, here, codes, causes } of WINDOWS_CODES) {
    expect(hex).toMatch(/^[0-9A-F]{8}$/);
    for (const text of [means, here]) expect(text).toMatch(/^[A-Z`].{8,}[^.\s]$/);
    expect(codes.length + causes.length, hex).toBeGreaterThan(0);
  }
});

it("says what an unknown code of a known family is about", () => {
  expect(meantBy("0x80244FFF")).toMatchObject({ is: "family", about: "talking to the server" });
  expect(meantBy("0x80240ABC")).toMatchObject({ is: "family", about: "the update agent" });
});

it("finds what was nearly typed", () => {
  expect(meantBy("UPB-TRUST-EXPIERD")).toMatchObject({
    nearest: ["UPB-TRUST-EXPIRED", expect.anything()],
  });
  expect(meantBy("UPB-HELTH-FAILED")).toMatchObject({
    nearest: expect.arrayContaining(["UPB-HEALTH-FAILED"]),
  });
  expect(meantBy("wu_e_no_conection")).toMatchObject({
    nearest: expect.arrayContaining(["WU_E_NO_CONNECTION"]),
  });
  expect(meantBy("good morning, what is the matter with you")).toEqual({
    is: "unknown",
    nearest: [],
  });
});

it("gives an answer to whatever is typed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(["ours", "windows", "family", "unknown"]).toContain(meantBy(text).is);
    }),
    { numRuns: 30 },
  );
  expect(new Set(KNOWN_CODES).size).toBe(KNOWN_CODES.length);
});

it("prints causes, remedy and retry of ours, and for a program all of it with its page", async () => {
  const { exitCode, out } = await call("upb-trust-expired");
  expect(exitCode).toBe(EXIT.ok);
  for (const label of ["Means", "Happens at", "Because", "Do", "Try again?"])
    expect(out).toContain(label);
  expect(JSON.parse((await call("UPB-TRUST-EXPIRED", "--json")).out)).toMatchObject({
    schema: "upbeat.explain/1",
    code: "UPB-TRUST-EXPIRED",
    page: "docs/errors.md#upb-trust-expired",
    retry: expect.any(String),
  });
});

it("leads from a code of Windows Update to the causes and the codes here", async () => {
  const { exitCode, out } = await call("-2147012721");
  expect(exitCode).toBe(EXIT.ok);
  expect(out).toContain("0x80072F8F WININET_E_DECODING_FAILED");
  expect(out).toMatch(/Likely +: The clock/);
  expect(JSON.parse((await call("0x80072F8F", "--json")).out)).toMatchObject({
    schema: "upbeat.explainWindows/1",
    causes: [{ cause: "clock-wrong" }, {}, {}, {}],
    nearest: [{ code: "UPB-FETCH-UNREACHABLE", page: expect.any(String) }, {}],
  });
});

it("says of what it does not know that it does not, and what is near, made safe for a terminal", async () => {
  const { exitCode, err } = await call("UPB-TRUST-\u001b[2JEXPIRED");
  expect(exitCode).not.toBe(EXIT.ok);
  expect(err).toContain("UPB-CLI-NOT-FOUND");
  expect(err).toContain("did you mean UPB-TRUST-EXPIRED");
  expect(err).not.toContain("\u001b[2J");
});
