/** `upbeat why`: one sentence why an update is or is not offered, then every question on the way. */
import { z } from "zod";
import { explainUpdate } from "../../device/deviceCalls.ts";
import { command } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { ProductOrUpdate } from "../policy/words.ts";
import { explanationText } from "../screen/explanation.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const why = command({
  name: "why",
  args: { "<update>": { text: "PRODUCT or PRODUCT@VERSION" } },
  summary: "Say why an update is or is not offered to this machine, and what it waits for",
  options: [ROOT_OPTION],
  examples: [
    ["upbeat why kiosk", "what is offered of it, or its newest version"],
    ["upbeat why kiosk@1.4.0 --json | jq .explanation.reason", "for a script"],
  ],
  input: z.object({ ...RootInput, update: ProductOrUpdate }),
  run: async ({ root, update: { product, version } }, session) => {
    const asked = { product, ...(version === undefined ? {} : { version }) };
    const found = await explainUpdate(deviceRoot(session.world, { root }), asked);
    return {
      schema: "upbeat.explanation/1",
      data: { explanation: found },
      text: (style) => explanationText(style, found),
      exitCode: found.outcome === "unknown" ? EXIT.notFound : EXIT.ok,
    };
  },
});
