/**
 * The three releases of the journey: two real ones, and a third that is the second with a file that
 * really is broken.
 */
import { cpSync, existsSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { JourneyFailed } from "./stage.ts";

export interface Release {
  readonly folder: string;
  readonly version: string;
  readonly title: string;
  /** As `upbeat publish --health-command` takes it. */
  readonly healthCommand?: string;
}

export interface Releases {
  readonly product: string;
  readonly first: Release;
  readonly second: Release;
  /** Makes the third in `folder`, and says in words what is broken. */
  makeBroken(folder: string): { release: Release; what: string };
  /** A program of the product that prints its version, to ask what really is installed. */
  readonly versionCommand?: readonly string[];
}

const PACKAGES = fileURLToPath(new URL("../../node_modules", import.meta.url));
const TSC = ["node", "bin/tsc", "--version"];
/** The file with the compiler in it, cut after this many bytes: a download that nobody checked. */
const BROKEN_FILE = "lib/_tsc.js";
const BROKEN_LENGTH = 100_000;

/** typescript 6.0.2 and 6.0.3, which set-up brought as packages. */
export function typescriptReleases(): Releases {
  const release = (name: string, version: string): Release => {
    const folder = join(PACKAGES, name);
    if (!existsSync(join(folder, BROKEN_FILE))) {
      throw new JourneyFailed(
        `expected a release in ${folder}: run \`npm start\`, which brings it`,
      );
    }
    return { folder, version, title: `TypeScript ${version}`, healthCommand: JSON.stringify(TSC) };
  };
  const second = release("example-release-2", "6.0.3");
  return {
    product: "typescript",
    first: release("example-release-1", "6.0.2"),
    second,
    versionCommand: TSC,
    makeBroken: (folder) => {
      copy(second.folder, folder);
      truncateSync(join(folder, BROKEN_FILE), BROKEN_LENGTH);
      return {
        release: { ...second, folder, version: "6.0.4", title: "TypeScript 6.0.4, cut short" },
        what: `${BROKEN_FILE} ends after ${BROKEN_LENGTH.toLocaleString("en")} bytes`,
      };
    },
  };
}

/** Two folders that a person named. */
export function folderReleases(oldFolder: string, newFolder: string): Releases {
  for (const folder of [oldFolder, newFolder]) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) {
      throw new JourneyFailed(`expected a folder, found none at ${folder}`);
    }
  }
  return {
    product: "my-product",
    first: { folder: oldFolder, version: "1.0.0", title: "Your old folder" },
    second: { folder: newFolder, version: "2.0.0", title: "Your new folder" },
    makeBroken: (folder) => {
      copy(newFolder, folder);
      const missing = firstFile(folder);
      rmSync(join(folder, missing));
      return {
        release: {
          folder,
          version: "3.0.0",
          title: "Your new folder with a file missing",
          healthCommand: JSON.stringify(["test", "-e", missing]),
        },
        what: `${missing} is missing, and the health check asks for it`,
      };
    },
  };
}

/** The links of a tree are copied as they are: a resolved one could point out of it. */
function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, mode: 0 });
}

function firstFile(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const first = found.sort((one, other) => dirname(one).length - dirname(other).length)[0];
  if (first === undefined) throw new JourneyFailed(`expected a file in ${folder}, found none`);
  return first.slice(folder.length + 1);
}
