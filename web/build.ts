/**
 * Builds the web pages into `dist/web/`, unless what is there was built from the same sources:
 * `node web/build.ts`. Takes a few seconds, or a few milliseconds when there is nothing to do.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const OUT = join(ROOT, "dist/web");
/** By folder below `web/`: the address below which each is served. */
const APPLICATIONS = { settings: "/", admin: "/admin/" } as const;
type Application = keyof typeof APPLICATIONS;
const NAMES = Object.keys(APPLICATIONS) as Application[];

/** Where the pages of one application are once they are built. */
export const builtFolder = (application: Application): string => join(OUT, application);

/** Several may build at once, e.g. test files: each builds beside and the last one to finish stays. */
export async function buildPages(): Promise<"built" | "unchanged"> {
  const hash = sourceHash();
  const stale = NAMES.filter((name) => stampOf(name) !== hash);
  if (stale.length === 0) return "unchanged";
  // Loaded only when needed: it is most of the time that an unchanged tree would take.
  const [{ build }, { default: react }] = await Promise.all([
    import("vite"),
    import("@vitejs/plugin-react"),
  ]);
  mkdirSync(OUT, { recursive: true });
  // A test runner sets it to `test`, and React would come in its development form, twice as large.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  for (const name of stale) {
    const beside = join(OUT, `.${name}-${process.pid}`);
    await build({
      configFile: false,
      root: join(ROOT, "web", name),
      base: APPLICATIONS[name],
      plugins: [react()],
      logLevel: "warn",
      build: {
        outDir: beside,
        emptyOutDir: true,
        target: "es2023",
        modulePreload: { polyfill: false },
        // The pages allow no inline content (Content-Security-Policy).
        assetsInlineLimit: 0,
        chunkSizeWarningLimit: 1_500,
      },
    });
    writeFileSync(join(beside, ".stamp"), hash);
    rmSync(builtFolder(name), { recursive: true, force: true });
    renameSync(beside, builtFolder(name));
  }
  if (before === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = before;
  return "built";
}

function stampOf(name: Application): string | undefined {
  const stamp = join(builtFolder(name), ".stamp");
  return existsSync(stamp) ? readFileSync(stamp, "utf8") : undefined;
}

/** Of all that goes into the pages: what is below `web/`, and the versions of the packages. */
function sourceHash(): string {
  const hash = createHash("sha256");
  const names = readdirSync(join(ROOT, "web"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:tsx?|json|html|css|svg)$/.test(name) && !name.includes(".test."))
    .map((name) => `web/${name}`);
  for (const name of [...names.toSorted(), "package-lock.json"]) {
    hash.update(`${name}\0`).update(readFileSync(join(ROOT, name)));
  }
  return hash.digest("hex");
}

if (import.meta.main) process.stderr.write(`pages: ${await buildPages()}\n`);
