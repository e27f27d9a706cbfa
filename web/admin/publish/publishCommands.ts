/** What the guide has collected, as the commands that do it. */
import { channelOption, command, type RingDraft, ringText } from "../parts/commands.ts";

export interface PublishDraft {
  readonly folder: string;
  readonly product: string;
  readonly version: string;
  readonly channel: string;
  readonly title: string;
  readonly description: string;
  readonly classification: string;
  readonly severity: string;
  readonly restart: string;
  readonly notesFile: string;
  readonly healthCommand: string;
  readonly healthUrl: string;
  readonly serviceRestart: string;
}

export const EMPTY_DRAFT: PublishDraft = {
  folder: "",
  product: "",
  version: "",
  channel: "",
  title: "",
  description: "",
  classification: "update",
  severity: "unspecified",
  restart: "never",
  notesFile: "",
  healthCommand: "",
  healthUrl: "",
  serviceRestart: "",
};

const NEEDED = ["folder", "product", "version"] as const;

export const missingIn = (draft: PublishDraft): readonly (typeof NEEDED)[number][] =>
  NEEDED.filter((name) => draft[name].trim() === "");

/**
 * With rings the rollout comes first: an update that is published without one is offered to
 * everybody at once.
 */
export function publishCommands(
  draft: PublishDraft,
  rings: readonly RingDraft[],
  serverUrl: string,
): string[] {
  const of = (name: keyof PublishDraft): string => draft[name].trim();
  const changed = (name: "classification" | "severity" | "restart"): string | undefined =>
    draft[name] === EMPTY_DRAFT[name] ? undefined : draft[name];
  const common = [channelOption(of("channel") || "stable"), ["--server", serverUrl]] as const;
  const product = of("product") || "PRODUCT";
  const version = of("version") || "VERSION";
  const rollout =
    rings.length === 0
      ? []
      : [
          command(
            ["rollouts", "create", `${product}@${version}`],
            [...rings.map((ring) => ["--ring", ringText(ring)] as const), ...common],
          ),
        ];
  return [
    ...rollout,
    command(
      ["publish", of("folder") || "FOLDER"],
      [
        ["--product", product],
        ["--version", version],
        ["--title", of("title")],
        ["--description", of("description")],
        ["--notes-file", of("notesFile")],
        ["--classification", changed("classification")],
        ["--severity", changed("severity")],
        ["--restart", changed("restart")],
        ["--health-command", of("healthCommand")],
        ["--health-url", of("healthUrl")],
        ["--service-restart", of("serviceRestart")],
        ...common,
      ],
    ),
  ];
}
