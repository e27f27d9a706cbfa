/** For updates without a payload (bundles, detectoids, categories): there is nothing to put anywhere. */
import type { Handler } from "./handler.ts";

export const noneHandler = (): Handler => ({
  stage: async () => {},
  activate: () => {},
  revert: () => {},
  tidy: async () => {},
  remove: async () => {},
  folderOf: () => undefined,
});
