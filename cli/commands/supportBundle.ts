/** `upbeat support-bundle`: all that helps somebody elsewhere, in one redacted file. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { command } from "../command.ts";
import { bytes, plain } from "../screen/format.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";
import { packageVersion } from "../version.ts";

export const supportBundle = command({
  name: "support-bundle",
  summary: "Write one redacted file that helps somebody else find what is wrong",
  details:
    "Holds what the troubleshooter saw and found, status, settings with who set them, facts, history,\ndecisions, versions of signed metadata and the ends of the logs. Names of people and hosts, home\nfolders, addresses, passwords, tokens and keys are replaced before they are written. Works when no\nservice does. Nobody else on this machine may read the file.",
  options: [
    ROOT_OPTION,
    { flags: "--output <file>", text: "where to write it; otherwise into this folder, by date" },
  ],
  examples: [
    ["upbeat support-bundle", "prints the name of the file"],
    ["sudo upbeat support-bundle --output /tmp/support.tar.gz", "with all that only root may read"],
  ],
  input: z.object({ ...RootInput, output: z.string().optional() }),
  run: async (input, { world, progress }) => {
    const root = deviceRoot(world, input);
    const made = new Date(world.now())
      .toISOString()
      .replace(/[-:]|\.\d+Z$/g, "")
      .replace("T", "-");
    const file = resolve(world.cwd, input.output ?? `upbeat-support-${made}.tar.gz`);
    const { devicePaths } = await import("../../device/paths.ts");
    const { runTroubleshooter } = await import("../../device/troubleshooter/run.ts");
    const { together } = await import("../../device/troubleshooter/diagnose.ts");
    const { collectBundle } = await import("../../device/troubleshooter/bundle/collect.ts");
    const { writeArchive } = await import("../../device/troubleshooter/bundle/archive.ts");
    const looked: Parameters<typeof together>[0][number][] = [];
    const diagnosis = await runTroubleshooter({
      root,
      env: world.env,
      repair: false,
      signal: world.interrupted,
      listener: {
        onLooked: (part) => looked.push(part),
        onCheck: ({ title }) => progress.show({ text: title }),
      },
    });
    progress.show({ text: "Collect and redact" });
    const files = await collectBundle({
      paths: devicePaths(root),
      version: packageVersion(),
      diagnosis,
      looked: together(looked),
    });
    await writeArchive(file, files);
    const sizeBytes = statSync(file).size;
    return {
      schema: "upbeat.supportBundle/1",
      data: { file, sizeBytes, contents: Object.keys(files) },
      text: (style) =>
        [
          `Wrote ${style.bold(plain(file))} (${bytes(sizeBytes)}, ${Object.keys(files).length} files).`,
          "Names, addresses and secrets were taken out; read it before you pass it on.",
          `Look at it with: upbeat troubleshoot --bundle ${plain(file)}`,
        ].join("\n"),
    };
  },
});
