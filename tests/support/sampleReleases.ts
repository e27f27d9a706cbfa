/**
 * Three small releases of one product on a real static server: 1.0.0 and 2.0.0 are healthy, 3.0.0
 * is not. Small, so that a cycle of the kill harness is short; and with one of everything that a
 * tree may hold: modes, an empty folder, a link, a long name, files shared by versions.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Product, type UpdateId } from "../../protocol/ids.ts";
import { readTree, type Tree } from "./deviceTree.ts";
import { type StaticServer, staticRepository } from "./staticRepository.ts";

export interface SampleReleases {
  readonly product: Product;
  /** By version. */
  readonly updates: ReadonlyMap<string, UpdateId>;
  /** By version: what must be on the device. */
  readonly trees: ReadonlyMap<string, Tree>;
  /** For `prepareDevice`. */
  readonly device: { serverUrl: string; trustedRoot: Uint8Array; products: Record<string, string> };
  /** Where they come from; it can be made to fail. */
  readonly server: StaticServer;
  close(): Promise<void>;
}

const VERSIONS = ["1.0.0", "2.0.0", "3.0.0"] as const;
/** The first comes in packs, the second as a patch, the third lies on the server plainly. */
const PATCHES_FROM: Record<(typeof VERSIONS)[number], readonly string[] | undefined> = {
  "1.0.0": [],
  "2.0.0": ["1.0.0"],
  "3.0.0": undefined,
};

export async function sampleReleases(folder: string): Promise<SampleReleases> {
  const product = Product.parse("sample");
  const repository = await staticRepository(join(folder, "repository"));
  const updates = new Map<string, UpdateId>();
  const trees = new Map<string, Tree>();
  for (const version of VERSIONS) {
    const tree = join(folder, `tree-${version}`);
    writeTree(tree, version);
    trees.set(version, readTree(tree));
    updates.set(
      version,
      await repository.publish(tree, {
        product,
        version,
        ...(PATCHES_FROM[version] && { patchesFrom: PATCHES_FROM[version] }),
        healthCheck: {
          kind: "command",
          command: version === "3.0.0" ? ["/bin/false"] : ["./bin/healthy"],
          timeoutMs: 10_000,
          retries: 0,
          retryDelayMs: 0,
        },
      }),
    );
  }
  const server = await repository.serve();
  return {
    product,
    updates,
    trees,
    device: {
      serverUrl: server.url,
      trustedRoot: repository.root,
      products: { [product]: "stable" },
    },
    server,
    close: () => server.close(),
  };
}

function writeTree(folder: string, version: string): void {
  const put = (path: string, text: string, mode = 0o644) => {
    const full = join(folder, path);
    mkdirSync(join(full, ".."), { recursive: true });
    writeFileSync(full, text);
    chmodSync(full, mode);
  };
  put("VERSION", `${version}\n`);
  put("bin/healthy", "#!/bin/sh\nexit 0\n", 0o755);
  put("lib/shared.txt", "the same in every version\n".repeat(2_000));
  put("lib/data.bin", `${version} `.repeat(20_000), 0o640);
  put("lib/empty.txt", "");
  put(`lib/${"long".repeat(50)}.txt`, version);
  put(`only-in-${version}/notes.txt`, version, 0o444);
  mkdirSync(join(folder, "var/empty"), { recursive: true });
  symlinkSync("../VERSION", join(folder, "lib/version-link"));
}
