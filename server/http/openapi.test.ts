import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openApiText } from "./openapi.ts";

test("docs/openapi.json is what `node server/http/openapi.ts` writes", () => {
  const file = new URL("../../docs/openapi.json", import.meta.url);
  expect(readFileSync(file, "utf8")).toBe(openApiText());
});
