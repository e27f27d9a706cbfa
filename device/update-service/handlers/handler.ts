/**
 * How one kind of payload is put on the machine; one file a kind. To add one: copy `tree.ts`, change
 * the verbs, name it in `index.ts` and in the manifest's schema; `contract.test.ts` does the rest.
 *
 * Contract, checked for every handler:
 *   - `stage` changes nothing of what runs
 *   - `activate` is one atomic switch, durable when it returns
 *   - `revert` works whether or not `activate` ran
 *   - every verb may be cut off anywhere and called again
 */
import type { Product, Version } from "../../../protocol/ids.ts";
import type { UpdateManifest } from "../../../protocol/manifest.ts";
import type { TreeEntry } from "../../../protocol/payload.ts";

export interface Handler {
  /** Puts the verified content beside the running version. */
  stage(
    manifest: UpdateManifest,
    payload: readonly TreeEntry[],
    onProgress: (bytes: number) => void,
  ): Promise<void>;
  /** Makes the staged version the one that runs. */
  activate(product: Product, version: Version): void;
  /** Makes `before` the one that runs again; undefined: none. Undoes `activate`. */
  revert(product: Product, before: Version | undefined): void;
  /** Removes a version that does not run. Undoes `stage`. */
  tidy(product: Product, version: Version): Promise<void>;
  /** Removes all versions of a product of which none runs. */
  remove(product: Product): Promise<void>;
  /** Where the version is, for its health check; undefined when there is nothing to run. */
  folderOf(product: Product, version: Version): string | undefined;
}
