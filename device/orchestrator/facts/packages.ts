/** `package.NAME.version`: the Debian packages that are installed, from dpkg's own list. */
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Facts } from "../../../protocol/deviceApi.ts";

const MAX_PACKAGES = 10_000;
const MAX_NAME = 150;

/** None where dpkg is not: another distribution is no failure. */
export async function packageFacts(root: string): Promise<Facts> {
  const path = join(root, "var/lib/dpkg/status");
  if (!existsSync(path)) return {};
  return await parsePackages(createInterface({ input: createReadStream(path) }));
}

/** deb822 paragraphs; only what is really installed counts (dpkg(1), package states). */
export async function parsePackages(lines: AsyncIterable<string>): Promise<Facts> {
  const facts: Facts = {};
  let count = 0;
  let found: Record<string, string> = {};
  const endParagraph = (): void => {
    const { Package: name = "", Version: version = "", Status: status = "" } = found;
    found = {};
    if (!status.endsWith(" installed") || version === "" || name.length > MAX_NAME) return;
    if (count >= MAX_PACKAGES) return;
    count += 1;
    facts[`package.${name}.version`] = version.slice(0, 200);
  };
  for await (const line of lines) {
    if (line === "") endParagraph();
    const [, name = "", value = ""] = /^(Package|Version|Status): (.*)$/.exec(line) ?? [];
    if (name !== "") found[name] = value;
  }
  endParagraph();
  return facts;
}
