import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DOCS } from "./docs.ts";
import { allNodes } from "./tree.ts";

test.each(DOCS)("%s is what `node cli/docs.ts` writes", (file, page) => {
  expect(readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).toBe(page());
});

const PAGES = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "examples/README.md",
];

test.each(PAGES)("every link of %s to a file of this repository leads somewhere", (page) => {
  const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) => link);
  const local = links.filter((link) => !/^[a-z]+:/.test(link));
  const missing = local.filter(
    (link) => !existsSync(new URL(`../${page}/../${link}`, import.meta.url)),
  );
  expect(missing).toEqual([]);
});

test.each(PAGES)("every `upbeat …` line in a block of %s is a command that exists", (page) => {
  const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
  const lines = [...text.matchAll(/^ {4}(?:npx )?upbeat (.*)$/gm)].map(([, line = ""]) => line);
  const known = allNodes().flatMap((node) =>
    node.kind === "command"
      ? [node.name]
      : [node.name, ...node.commands.map((child) => `${node.name} ${child.name}`)],
  );
  const unknown = lines.filter((line) => !known.some((name) => `${line} `.startsWith(`${name} `)));
  expect(unknown).toEqual([]);
});
