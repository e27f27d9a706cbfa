import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { forbiddenImports, MAY_IMPORT } from "./layers.ts";
import { importsOf, readSources } from "./support/sourceText.ts";

const ROOT = join(import.meta.dirname, "..");

describe("the layering of the source", () => {
  const files = readSources(ROOT, Object.keys(MAY_IMPORT));

  it("is kept by every import", () => {
    expect(files.length).toBeGreaterThan(50); // or nothing was read
    expect(forbiddenImports(files)).toEqual([]);
  });
});

describe("the layering check", () => {
  it.each([
    ["core/x.ts", 'import "node:fs";'],
    ["core/x.ts", 'import { readFileSync } from "fs";'],
    ["core/x.ts", 'import type { Stats } from "node:fs";'],
    ["core/x.ts", 'const { join } = await import("node:path");'],
    ["core/x.ts", 'export * from "../device/paths.ts";'],
    ["protocol/x.ts", 'import { a } from "../core/a.ts";'],
    ["protocol/trust/x.ts", 'import { readFileSync } from "node:fs";'],
    ["content/x.ts", 'import { a } from "../server/a.ts";'],
    ["server/x.ts", 'import { a } from "../device/paths.ts";'],
    ["device/x.ts", 'export { a } from "../server/a.ts";'],
    ["device/orchestrator/x.ts", 'import { a } from "../update-service/a.ts";'],
    ["device/service-manager/x.ts", 'import type { A } from "../orchestrator/a.ts";'],
    ["device/update-service/x.ts", 'import { request } from "node:http";'],
    ["device/update-service/x.ts", "const answer = await fetch(url);"],
    ["device/update-service/x.ts", 'const net = require("node:net");'],
    ["server/main.ts", 'import { signMetadata } from "../protocol/trust/sign.ts";'],
    ["device/update-service/x.ts", 'import { newSigningKey } from "../../protocol/trust/sign.ts";'],
    ["cli/x.ts", "await import(name);"],
    ["web/kit/x.tsx", 'import { asked } from "../../protocol/settingsPageApi.ts";'],
    ["web/kit/x.ts", 'import { join } from "node:path";'],
    ["web/kit/x.ts", 'import type { A } from "../../device/paths.ts";'],
    ["unknown/x.ts", 'import { a } from "../core/a.ts";'],
  ])("refuses in %s: %s", (path, text) => {
    expect(forbiddenImports([{ path, text }])).toHaveLength(1);
  });

  it("follows imports out of the update service to the network", () => {
    const wrong = forbiddenImports([
      { path: "device/update-service/x.ts", text: 'import { get } from "../../content/get.ts";' },
      { path: "content/get.ts", text: 'import { request } from "node:https";' },
    ]);
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toContain("content/get.ts");
  });

  it("follows imports from the device to what signs", () => {
    const wrong = forbiddenImports([
      { path: "device/orchestrator/x.ts", text: 'import "../../protocol/trust/writer.ts";' },
      { path: "protocol/trust/writer.ts", text: 'import { signMetadata } from "./sign.ts";' },
      { path: "protocol/trust/sign.ts", text: "" },
    ]);
    expect(wrong).toHaveLength(1);
  });

  it.each([
    ["core/x.ts", 'import { z } from "zod";\nimport { a } from "../protocol/a.ts";'],
    ["core/x.ts", '// import "node:fs";\n/* import "node:net"; */'],
    ["core/x.ts", 'const text = `import "node:fs"`;'],
    ["device/update-service/downloader/main.ts", 'import { request } from "node:http";'],
    ["device/localServer.ts", 'import { connect } from "node:net";'],
    ["device/update-service/x.test.ts", 'import { createServer } from "node:http";'],
    ["device/update-service/x.ts", 'import type { Server } from "node:http";'],
    ["protocol/trust/writer.ts", 'import { signMetadata } from "./sign.ts";'],
    ["cli/keys/x.ts", 'import { newSigningKey } from "../../protocol/trust/sign.ts";'],
    ["web/kit/x.tsx", 'import type { Session } from "../../protocol/settingsPageApi.ts";'],
    ["server/signer/main.ts", 'import { signMetadata } from "../../protocol/trust/sign.ts";'],
  ])("allows in %s: %s", (path, text) => {
    expect(forbiddenImports([{ path, text }])).toEqual([]);
  });
});

describe("the import reader", () => {
  it("sees every form of import and no other text", () => {
    const text = `
      import "a";
      import b from "b";
      import c, { type C } from "c";
      import * as d from 'd';
      import {
        e, // from "not this"
        f,
      } from "e";
      import type { G } from "g";
      export * from "h";
      export * as hh from "hh";
      export { i } from "i";
      export type { J } from "j";
      const k = await import("k");
      const l = require("l");
      const m = import(name);
      const n = \`\${await import("n")} import "not this"\`;
      const o = /["'\`/*]/.test(x); import "o";
      const p = a / b; import "p"; // /
      // import "not this"
      const q = "import 'not this'" + thing.import("not this");
      export const from = "not this";
    `;
    const seen = importsOf(text).map(({ specifier, typeOnly }) => [specifier, typeOnly]);
    const names = seen.map(([name]) => name ?? "?").toSorted();
    expect(names).toEqual(
      ["?", "a", "b", "c", "d", "e", "g", "h", "hh", "i", "j", "k", "l", "n", "o", "p"].toSorted(),
    );
    expect(seen.filter(([, typeOnly]) => typeOnly).map(([name]) => name)).toEqual(["g", "j"]);
  });
});
