import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { codeOf, readSources } from "../tests/support/sourceText.ts";

const HERE = import.meta.dirname;
const read = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(HERE, path), "utf8"));

/** Every message with its full key. */
function flat(messages: object, before = ""): [string, string][] {
  return Object.entries(messages).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[before + name, value]] : flat(value, `${before}${name}.`),
  );
}
const places = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).toSorted();

const applications = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe.each(applications)("the messages of %s", (name) => {
  const en = flat(read(`${name}/messages/en.json`));
  const de = new Map(flat(read(`${name}/messages/de.json`)));

  it("say the same in English and German, with the same places to fill", () => {
    expect([...de.keys()]).toEqual(en.map(([key]) => key));
    for (const [key, text] of en)
      expect([key, places(de.get(key) ?? "")]).toEqual([key, places(text)]);
  });

  it("are there for every key that a page names", () => {
    const kit = flat(read("kit/messages/en.json"));
    const known = new Set([...en, ...kit].map(([key]) => key.replace(/_(?:one|other)$/, "")));
    const named = readSources(HERE, [name]).flatMap(({ path, text }) => {
      const code = codeOf(text);
      return [...code.text.matchAll(/(?<![\w.])t\(\s*"(\d+)"/g)].map(
        (match) => `${path} ${code.strings[Number(match[1])]}`,
      );
    });
    expect(named.filter((place) => !known.has(place.split(" ")[1] ?? ""))).toEqual([]);
  });
});

describe("the error texts in other languages", () => {
  type Texts = Record<string, { text: string; causes: string[]; remedy: string }>;
  const en = read("kit/messages/errors.en.json") as Texts;
  const de = read("kit/messages/errors.de.json") as Texts;
  /** Commands and names that are typed as they stand. */
  const literal = (text: string) => (text.match(/`[^`]+`|--[a-z-]+|UPBEAT_\w+/g) ?? []).toSorted();

  it("are there for every error of the catalogue and for no other", () => {
    expect(Object.keys(de).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it("name the same commands, and as many causes", () => {
    for (const [code, { text, causes, remedy }] of Object.entries(en)) {
      const other = de[code];
      const all = [text, remedy, ...causes].map(literal);
      const others = [other?.text, other?.remedy, ...(other?.causes ?? [])];
      expect([code, ...others.map((one) => literal(one ?? ""))]).toEqual([code, ...all]);
    }
  });
});
