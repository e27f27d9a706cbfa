/**
 * `upbeat keys …`: the publisher's signing keys, which never leave the publisher's machines.
 *
 * What signs is imported when it runs: the daily commands should not wait for it.
 */
import { z } from "zod";
import { command, group } from "../command.ts";
import type { KeysReport } from "../keys/describe.ts";
import { PASSPHRASE_OPTION, PassphraseInput } from "../keys/passphrase.ts";
import { KEYS_OPTION, KeysInput } from "../keys/where.ts";
import { when } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { facts, table } from "../screen/table.ts";
import { SERVER_OPTIONS, ServerInput, saveServerSettings } from "../settings.ts";

const init = command({
  name: "init",
  summary: "Make the signing keys and the first signed repository",
  details:
    "Three root keys (two of them must sign), one for the list of channels, one for each of the\nchannels stable and beta. The private keys stay in the keys folder and are never sent anywhere.",
  options: [
    ...SERVER_OPTIONS,
    KEYS_OPTION,
    PASSPHRASE_OPTION,
    { flags: "--no-passphrase", text: "leave the private keys unencrypted" },
    { flags: "--save", text: "remember the server's address and token for later commands" },
  ],
  examples: [
    [
      "upbeat keys init --server http://127.0.0.1:8530 --token-file token --save",
      "asks for a passphrase",
    ],
    ["upbeat keys init --passphrase-file pass --json", "asks nothing"],
  ],
  input: z.object({
    ...ServerInput,
    ...KeysInput,
    ...PassphraseInput,
    passphrase: z.boolean().default(true),
    save: z.boolean().default(false),
  }),
  run: async (input, session) => {
    const { initialise } = await import("../keys/initialise.ts");
    const { settings, keys, rootSha256, versions } = await initialise(session, input);
    const saved = input.save ? saveServerSettings(session.world, settings) : undefined;
    const offline = keys.keys.filter(({ role }) => role === "root" || role === "targets");
    return {
      schema: "upbeat.keysInit/1",
      data: {
        folder: keys.folder,
        rootSha256,
        versions,
        keys: keys.keys,
        keepOffline: offline.map((key) => `${keys.folder}/${key.name}.pem`),
        ...(saved === undefined ? {} : { saved }),
      },
      text: (style) =>
        facts(style, [
          ["Keys", `${style.good(style.marks.done)} ${keys.folder}`],
          ["Root", `${rootSha256}  ${style.dim("2 of 3 keys must sign")}`],
          ["Channels", "stable, beta"],
          ["Encrypted", keys.keys.every((key) => key.encrypted) ? "yes" : style.warn("no")],
          [
            "Offline",
            `move to two safe places: ${offline.map((key) => `${key.name}.pem`).join(", ")}`,
          ],
          [
            "",
            style.dim(
              "publishing needs only the key of its channel; bring the others back to rotate or renew",
            ),
          ],
          ["Saved", saved],
          ["Next", "upbeat publish FOLDER --product P --version V"],
        ]),
    };
  },
});

const rotate = command({
  name: "rotate",
  args: {
    "<role>": {
      text: "root, targets or a channel",
      suggests: ["root", "targets", "stable", "beta"],
    },
  },
  summary: "Replace a role's key by a new one and have the old ones vouch for it",
  options: [
    ...SERVER_OPTIONS,
    KEYS_OPTION,
    PASSPHRASE_OPTION,
    { flags: "--no-passphrase", text: "leave the new private key unencrypted" },
    { flags: "--key <name>", text: "which key to replace, e.g. root-2 (default: the oldest)" },
  ],
  examples: [
    ["upbeat keys rotate stable", "a new key signs the channel stable from now on"],
    ["upbeat keys rotate root --key root-2", "root-2 was lost: replace it"],
  ],
  input: z.object({
    ...ServerInput,
    ...KeysInput,
    ...PassphraseInput,
    role: z.string(),
    passphrase: z.boolean().default(true),
    key: z.string().optional(),
  }),
  run: async (input, session) => {
    const { rotateRole } = await import("../keys/rotate.ts");
    const rotated = await rotateRole(session, input);
    return {
      schema: "upbeat.keysRotated/1",
      data: { ...rotated },
      text: (style) =>
        facts(style, [
          ["Rotated", `${style.good(style.marks.done)} ${input.role}`],
          ["Out", rotated.out],
          ["In", rotated.in],
          ["File", rotated.file],
          ["Next", "destroy the old key when `upbeat keys show` no longer lists it"],
        ]),
    };
  },
});

const renew = command({
  name: "renew",
  summary: "Sign the list of channels and the channels again, before they expire",
  options: [...SERVER_OPTIONS, KEYS_OPTION, PASSPHRASE_OPTION],
  examples: [["upbeat keys renew", "90 more days for targets and every channel"]],
  input: z.object({ ...ServerInput, ...KeysInput, ...PassphraseInput }),
  run: async (input, session) => {
    const { renewRepository } = await import("../keys/rotate.ts");
    const renewed = await renewRepository(session, input);
    return {
      schema: "upbeat.keysRenewed/1",
      data: { ...renewed },
      text: (style) => `${style.good(style.marks.done)} Renewed: ${renewed.roles.join(", ")}`,
    };
  },
});

const show = command({
  name: "show",
  summary: "List roles, thresholds, keys, versions and when each runs out",
  details: "Needs no passphrase: what is shown is public.",
  options: [...SERVER_OPTIONS, KEYS_OPTION],
  examples: [["upbeat keys show", "verified from your own first root"]],
  input: z.object({ ...ServerInput, ...KeysInput }),
  run: async (input, session) => {
    const { describeKeys } = await import("../keys/describe.ts");
    const report = await describeKeys(session, input);
    return {
      schema: "upbeat.keys/1",
      data: { ...report },
      text: (style) => showText(style, report, session.world.now()),
    };
  },
});

export const keys = group("keys", "Make, replace and look at the signing keys", [
  init,
  rotate,
  renew,
  show,
]);

/** Renewing takes a person and an offline key: warn while there is time to find both. */
const WARN_BEFORE_MS = 14 * 24 * 3_600_000;

function showText(style: Style, report: KeysReport, nowMs: number): string {
  const rows = report.roles.map((role) => {
    const left = role.expiresMs - nowMs;
    // Online roles are renewed by the server itself, hours before they expire.
    const soon = left <= 0 || (role.signedBy === "you" && left < WARN_BEFORE_MS);
    const paint = left <= 0 ? style.bad : soon ? style.warn : (text: string) => text;
    return [
      role.role,
      String(role.version),
      `${role.threshold} of ${role.keys.length}`,
      paint(when(role.expiresMs, nowMs)),
      role.signedBy,
      role.keys
        .map(
          (key) =>
            `${key.name ?? "?"} ${style.dim(key.keyId.slice(0, 8))}${key.present || role.signedBy === "server" ? "" : style.dim(" (offline)")}`,
        )
        .join(", "),
    ];
  });
  const head = ["ROLE", "VERSION", "THRESHOLD", "RUNS OUT", "SIGNED BY", "KEYS"];
  return `${table(style, head, rows)}\n${style.dim(`root.json ${report.rootSha256}`)}`;
}
