/** The daily verbs of a device: check, download, install, rollback, uninstall. */
import { resolve } from "node:path";
import { z } from "zod";
import { deviceStatus } from "../../device/deviceCalls.ts";
import { Product } from "../../protocol/ids.ts";
import type { Change, CheckResult } from "../../protocol/orchestratorApi.ts";
import { ProviderId, type ProviderReport } from "../../protocol/providers.ts";
import { withCatalogue } from "../catalogue.ts";
import { type Answer, command, type Session } from "../command.ts";
import { EXIT } from "../exitCodes.ts";
import { followChange } from "../followChange.ts";
import { plansText } from "../planText.ts";
import { bytes, count, fromTo, plain } from "../screen/format.ts";
import type { Style } from "../screen/style.ts";
import { table } from "../screen/table.ts";
import { deviceRoot, ROOT_OPTION, RootInput } from "../settings.ts";

export const check = command({
  name: "check",
  summary: "Ask the server for updates and show which suit this machine",
  details:
    "With --from nothing is asked over the network: the folder holds a copy of what a server serves\n(metadata/ and targets/), and is verified like it. The machine's administrator runs it.",
  options: [
    ROOT_OPTION,
    { flags: "--full", text: "ask for everything again, whatever is cached" },
    {
      flags: "--from <folder>",
      text: "a signed catalogue, e.g. on a USB stick, instead of the server",
      completes: "folder",
    },
  ],
  examples: [
    ["upbeat check", "one small request when nothing changed"],
    ["upbeat check --full", "fetches and verifies all metadata again"],
    ["sudo upbeat check --from /media/stick/updates", "without any network"],
  ],
  input: z.object({
    ...RootInput,
    full: z.boolean().default(false),
    from: z.string().optional(),
  }),
  run: async ({ root, full, from }, session) => {
    const device = deviceRoot(session.world, { root });
    const request = { kind: "check", full } as const;
    const change =
      from === undefined
        ? await followChange(session, device, request)
        : await withCatalogue(device, resolve(session.world.cwd, from), () =>
            followChange(session, device, { ...request, offline: true }),
          );
    const offers = change.check?.offers ?? [];
    const theirs = (change.check?.providers ?? []).flatMap(({ updates }) => updates);
    const exitCode = offers.length + theirs.length === 0 ? EXIT.nothingToDo : EXIT.ok;
    return { ...changeAnswer(change, (style) => checkText(style, change.check)), exitCode };
  },
});

const PROVIDER_OPTION = {
  flags: "--provider <name>",
  text: "only what this provider has, e.g. apt",
};

export const download = command({
  name: "download",
  args: { "[product]": { text: "only this product (default: every offered update)" } },
  summary: "Download and verify offered updates without installing them",
  options: [
    ROOT_OPTION,
    PROVIDER_OPTION,
    { flags: "--plan", text: "only show what would be fetched, from where and by which way" },
  ],
  examples: [
    ["upbeat download", "fetches every offered update"],
    ["upbeat download kiosk", "fetches the update of one product"],
    ["upbeat download --plan", "bytes, requests and time by source, before anything is fetched"],
  ],
  input: z.object({
    ...RootInput,
    product: Product.optional(),
    provider: ProviderId.optional(),
    plan: z.boolean().default(false),
  }),
  run: async ({ root, product, provider, plan }, session) => {
    if (plan) {
      const request = { kind: "plan", product } as const;
      const planned = await followChange(session, deviceRoot(session.world, { root }), request);
      return changeAnswer(planned, (style) => plansText(style, planned.plans ?? []));
    }
    const change = await followChange(session, deviceRoot(session.world, { root }), {
      kind: "download",
      product,
      provider,
    });
    return ended(change, "Downloaded and verified", "Next: upbeat install");
  },
});

export const install = command({
  name: "install",
  args: { "[product]": { text: "only this product (default: every offered update)" } },
  summary: "Download, install, check the health and keep offered updates, or go back by itself",
  details:
    "--at-shutdown is for the hook of the system's shutdown: it installs what is downloaded and may be\ninstalled then (setting installAtShutdown), and nothing else.",
  options: [
    ROOT_OPTION,
    PROVIDER_OPTION,
    { flags: "--at-shutdown", text: "only what a shutdown takes along" },
  ],
  examples: [
    ["upbeat install", "installs every offered update"],
    ["upbeat install kiosk", "installs the update of one product"],
  ],
  input: z.object({
    ...RootInput,
    product: Product.optional(),
    provider: ProviderId.optional(),
    atShutdown: z.boolean().default(false),
  }),
  run: async ({ root, product, provider, atShutdown }, session) => {
    const device = deviceRoot(session.world, { root });
    const updates = atShutdown ? (await deviceStatus(device)).atShutdown : undefined;
    if (updates?.length === 0) {
      const nothing = { schema: "upbeat.change/1", data: { change: null } };
      return { ...nothing, text: () => "Nothing to do.", exitCode: EXIT.nothingToDo };
    }
    const change = await followChange(session, device, {
      kind: "install",
      product,
      provider,
      ...(updates === undefined ? {} : { updates, background: true, atShutdown: true }),
    });
    return ended(change, "Installed", await wayBack(device, change));
  },
});

export const rollback = command({
  name: "rollback",
  args: { "<product>": { text: "which product" } },
  summary: "Go back to the version before",
  details: "The version before is kept for 10 days after an install.",
  options: [ROOT_OPTION],
  examples: [["upbeat rollback kiosk", "switches to the previous version of kiosk"]],
  input: z.object({ ...RootInput, product: Product }),
  run: (input, session) => undo("rollback", input, session),
});

export const uninstall = command({
  name: "uninstall",
  args: { "<product>": { text: "which product" } },
  summary: "Remove a product and every kept version of it",
  options: [ROOT_OPTION],
  examples: [["upbeat uninstall kiosk", "removes kiosk from this machine"]],
  input: z.object({ ...RootInput, product: Product }),
  run: (input, session) => undo("uninstall", input, session),
});

async function undo(
  kind: "rollback" | "uninstall",
  input: { root?: string | undefined; product: Product },
  session: Session,
): Promise<Answer> {
  const root = deviceRoot(session.world, input);
  const change = await followChange(session, root, { kind, product: input.product });
  const { products } = await deviceStatus(root);
  const now = products.find((one) => one.product === input.product)?.current;
  return changeAnswer(change, (style) =>
    change.state === "nothing-to-do"
      ? "Nothing to do."
      : `${style.good(style.marks.done)} ${input.product} ${now === undefined ? "is removed" : `is back at ${now}`}`,
  );
}

/** Only what can be done: a first install has no version to go back to. Undefined: nothing. */
async function wayBack(device: string, { updates }: Change): Promise<string | undefined> {
  const { products } = await deviceStatus(device);
  const [product, ...others] = updates
    .map((update) => update.product)
    .filter((name) => products.some((one) => one.product === name && one.previous !== undefined));
  if (product === undefined) return undefined;
  return `Undo it with: upbeat rollback ${product}${others.length > 0 ? ", and so the others" : ""}`;
}

function ended(change: Change, did: string, next: string | undefined): Answer {
  return changeAnswer(change, (style) => {
    if (change.state === "nothing-to-do") return "Nothing to do: no update is offered.";
    const lines = change.updates.map(
      (update) =>
        `${style.good(style.marks.done)} ${did} ${style.bold(`${update.product}@${update.version}`)}`,
    );
    if (lines.length === 0)
      lines.push(`${style.good(style.marks.done)} ${did} what the providers had`);
    return [...lines, ...(next === undefined ? [] : [style.dim(next)])].join("\n");
  });
}

const changeAnswer = (change: Change, text: (style: Style) => string): Answer => ({
  schema: "upbeat.change/1",
  data: { change },
  text,
  exitCode: change.state === "nothing-to-do" ? EXIT.nothingToDo : EXIT.ok,
});

const SHOWN_OF_A_PROVIDER = 10;

function providerLines(style: Style, { provider, updates, failure }: ProviderReport): string[] {
  const rest = updates.length - SHOWN_OF_A_PROVIDER;
  return [
    ...(failure === undefined ? [] : [style.warn(`${provider}: ${plain(failure)}`)]),
    ...updates
      .slice(0, SHOWN_OF_A_PROVIDER)
      .map(
        (update) =>
          `${provider}: ${fromTo(update.id, update.installedVersion, update.version, style.marks.arrow)}  ${update.classification}`,
      ),
    ...(rest > 0 ? [style.dim(`${provider}: ${count(rest, "update")} more`)] : []),
  ];
}

function checkText(style: Style, result: CheckResult | undefined): string {
  const offers = result?.offers ?? [];
  const cost = result
    ? style.dim(`${count(result.requests, "request")}, ${bytes(result.receivedBytes)} received`)
    : "";
  const passedOver = (result?.notOffered ?? [])
    .filter(({ reason }) => !["installed", "superseded", "older-than-installed"].includes(reason))
    .map((one) => style.dim(`not offered: ${one.product}@${one.version}: ${plain(one.detail)}`));
  const theirs = (result?.providers ?? []).flatMap((report) => providerLines(style, report));
  passedOver.push(...theirs);
  if (offers.length === 0) {
    if (theirs.length > 0) return [...passedOver, cost].join("\n");
    return [`${style.good(style.marks.done)} Up to date.  ${cost}`, ...passedOver].join("\n");
  }
  const rows = offers.map((offer) => [
    fromTo(offer.update.product, offer.installedVersion, offer.update.version, style.marks.arrow),
    bytes(offer.sizeBytes),
    offer.classification,
    plain(offer.title),
  ]);
  return [
    table(style, ["UPDATE", "SIZE", "CLASS", "TITLE"], rows),
    ...passedOver,
    `${count(offers.length, "update")} offered.  ${cost}`,
    style.dim("Next: upbeat install"),
  ].join("\n");
}
