/** `upbeat settings`: opens the Settings page of this machine in a browser. */
import { spawn } from "node:child_process";
import { z } from "zod";
import { UpbeatError } from "../../protocol/errors/error.ts";
import type { Access } from "../../protocol/settingsPageApi.ts";
import { command } from "../command.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { settingsLink } from "../settingsPage.ts";

const MAY: Record<Access, string> = {
  read: "look",
  change: "look, install and undo",
  administer: "look, install, undo and change every setting",
};

export const settings = command({
  name: "settings",
  summary: "Open the Settings page of this machine",
  details:
    "Prints a link for a browser on this machine. It opens the page once, within two minutes, with\nthe rights of your account. The page also opens when both services are down.",
  options: [
    ROOT_OPTION,
    { flags: "--open", text: "open it in the browser of your desktop" },
    { flags: "--read-only", text: "a page on which nothing can be changed" },
  ],
  examples: [
    ["upbeat settings", "prints the link"],
    ["upbeat settings --open", "opens the browser"],
    ["sudo upbeat settings", "as an administrator of this machine"],
  ],
  input: z.object({
    ...RootInput,
    open: z.boolean().default(false),
    readOnly: z.boolean().default(false),
  }),
  run: async (input, session) => {
    const root = deviceRoot(session.world, input);
    session.progress.show({ text: "Start the Settings page" });
    const link = await settingsLink(
      root,
      session.world.env,
      input.readOnly ? "read" : "administer",
    );
    session.progress.end("done");
    if (input.open) await openBrowser(link.url);
    return {
      schema: "upbeat.settingsLink/1",
      data: link,
      text: (style) =>
        [
          style.accent(link.url),
          style.dim(`Opens once, within two minutes. There you may ${MAY[link.access]}.`),
        ].join("\n"),
    };
  },
});

/** `xdg-open` hands the address to the desktop and ends. */
function openBrowser(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("xdg-open", [url], { stdio: "ignore", detached: true });
    child.once("error", (cause) =>
      reject(new UpbeatError("UPB-CLI-NO-BROWSER", { object: "xdg-open", cause })),
    );
    child.once("spawn", () => {
      child.unref();
      resolve();
    });
  });
}
