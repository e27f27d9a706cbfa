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

export interface Step {
  readonly manifest: UpdateManifest;
  /** What ran before; undefined on a first install. */
  readonly from: Version | undefined;
  readonly onProgress: (bytes: number) => void;
}

export interface Handler {
  /** Puts the verified content beside the running version. */
  stage(step: Step): Promise<void>;
  /** Makes the staged version the one that runs. */
  activate(step: Step): void;
  /** Makes `from` the one that runs again; none, if there was none. Undoes `activate`. */
  revert(step: Step): void;
  /** Removes a version that does not run. Undoes `stage`. */
  tidy(product: Product, version: Version): void;
  /** Takes the product off the machine: nothing of it runs afterwards. */
  remove(product: Product): void;
  /** Where the running version is, for its health check; undefined when there is nothing to run. */
  folderOf(product: Product, version: Version): string | undefined;
}
