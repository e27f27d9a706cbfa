/** Which handler installs which kind of payload: the names of the manifest's `handler`. */
import type { UpdateManifest } from "../../../protocol/manifest.ts";
import type { Handler } from "./handler.ts";
import { noneHandler } from "./none.ts";
import { treeHandler } from "./tree.ts";

export type Handlers = Record<UpdateManifest["handler"], Handler>;

export const handlersFor = (installed: string): Handlers => ({
  tree: treeHandler(installed),
  none: noneHandler(),
});
