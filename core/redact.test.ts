import fc from "fast-check";
import { expect, it } from "vitest";
import { redactor } from "./redact.ts";

const known = { users: ["ada", "root"], hosts: ["till-7.shop.example", "updates.corp.example"] };

it.each([
  ["https://bob:pa55w0rd@proxy.corp.example:3128/x", ["bob", "pa55w0rd", "proxy.corp.example"]],
  ["/home/ada/notes.txt belongs to ada", ["ada"]],
  [
    "updates.corp.example: ENOTFOUND, 10.1.2.3 and fe80::1ff:fe23:4567:890a",
    ["corp", "10.1.2.3", "fe80"],
  ],
  [
    "mail grace@navy.example from till-7.shop.example (aa:bb:cc:dd:ee:ff)",
    ["grace", "till-7", "aa:bb"],
  ],
  ["Authorization: Bearer eyJhbGciOi.J9.x", ["eyJhbGciOi"]],
  ['{"password": "hunter2", "proxy-authorization":"Basic Ym9iOnBhc3M="}', ["hunter2", "Ym9i"]],
  ["UPBEAT_TOKEN=s3cr3t-value and token=abc123def&x=1", ["s3cr3t-value", "abc123def"]],
  [`upbeat-token.${"A".repeat(32)}.${"0".repeat(64)}`, ["AAAA"]],
  ["-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----", ["MC4CAQ"]],
])("takes out of %j what names somebody or opens something", (text, gone) => {
  const redacted = redactor(known).text(text);
  for (const secret of gone) expect(redacted).not.toContain(secret);
});

it("keeps what a person needs to understand it", () => {
  const text = `kiosk@1.4.0 (${"ab".repeat(32)}) in /var/lib/upbeat/state.db at 127.0.0.1, main.js, 2026-01-31T10:00:00.000Z, UPB-FETCH-UNREACHABLE, dev-${"0".repeat(32)}, node 26.10.0, root`;
  expect(redactor(known).text(text)).toBe(text);
});

it("gives the same name the same word, and others another one", () => {
  const { text } = redactor(known);
  const first = text("updates.corp.example is 10.1.2.3");
  expect(text("updates.corp.example is 10.1.2.3")).toBe(first);
  expect(
    text("other.corp.example.org is 10.1.2.4 at https://other.corp.example.org"),
  ).not.toContain("address-1");
});

it("reaches every string of a value, and hides fields whose names say that they are secret", () => {
  const value = { path: ["/home/ada"], nested: { deviceToken: "short", ada: 1 } };
  expect(JSON.stringify(redactor(known).value(value))).not.toMatch(/ada|short/);
});

it("never throws, and takes a login out of any address", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9]{6,12}$/);
  fc.assert(
    fc.property(word, word, fc.string(), (user, password, around) => {
      const out = redactor({ users: [], hosts: [] }).text(
        `${around} http://${user}:${password}@h.example/`,
      );
      expect(out.slice(around.length)).not.toContain(password);
    }),
  );
});
