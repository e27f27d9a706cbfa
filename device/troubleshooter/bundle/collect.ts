/**
 * All that goes into a support bundle, as texts by path. Works when no service does: what cannot be
 * asked says so in its place. Every text passes the redactor on its way out.
 */
import { open, readdir, readFile } from "node:fs/promises";
import { arch, release } from "node:os";
import { join } from "node:path";
import { redactor } from "../../../core/redact.ts";
import { reportError } from "../../../protocol/errors/error.ts";
import type { Diagnosis } from "../../../protocol/troubleshooting/diagnosis.ts";
import {
  deviceFacts,
  deviceHistory,
  deviceStatus,
  effectivePolicy,
  listDecisions,
  listServices,
} from "../../deviceCalls.ts";
import { readDeviceConfig } from "../../deviceConfig.ts";
import { knownNames } from "../../knownNames.ts";
import type { DevicePaths } from "../../paths.ts";
import type { Looked } from "../lines.ts";
import { readState } from "../probes/state.ts";
import { EVIDENCE, type Evidence } from "./evidence.ts";
import { keptMetadata } from "./keptMetadata.ts";

/** The newest of each log: enough for days, small enough to mail. */
const LOG_BYTES = 512 * 1024;
const HISTORY = 200;

export interface BundleInput {
  readonly paths: DevicePaths;
  readonly version: string;
  readonly diagnosis: Diagnosis;
  readonly looked: Looked;
}

export async function collectBundle(input: BundleInput): Promise<Record<string, string>> {
  const { paths, version, diagnosis, looked } = input;
  const { root } = paths;
  const evidence: Evidence = { format: 1, looked };
  const system = {
    upbeat: version,
    node: process.version,
    kernel: release(),
    architecture: arch(),
    osRelease: await readFile("/etc/os-release", "utf8").catch(() => ""),
    madeAt: new Date(looked.atMs).toISOString(),
  };
  const parts: Record<string, unknown> = {
    "versions.json": system,
    [EVIDENCE]: evidence,
    "diagnosis.json": diagnosis,
    "status.json": await asked(() => deviceStatus(root)),
    "settings.json": await asked(() => effectivePolicy(root)),
    "facts.json": await asked(() => deviceFacts(root)),
    "services.json": await asked(() => listServices(root)),
    "history.json": await asked(() => deviceHistory(root, HISTORY)),
    "decisions.json": await asked(() => listDecisions(root, HISTORY)),
    // Read past the services, so that it is there when they are not.
    "state.json": readState(paths),
    "configuration.json": await asked(async () => readDeviceConfig(paths)),
    "metadata.json": keptMetadata(paths),
  };
  const { text, value } = redactor(knownNames(configOf(paths)));
  const files: Record<string, string> = { "README.txt": ABOUT };
  for (const [name, part] of Object.entries(parts))
    files[name] = `${JSON.stringify(value(part), undefined, 2)}\n`;
  for (const [name, log] of await logsOf(paths)) files[`logs/${name}`] = text(log);
  return files;
}

const ABOUT = `A support bundle of Upbeat. Everything in it is text.

Look at it elsewhere with: upbeat troubleshoot --bundle FILE
It was redacted when it was made: names of people and hosts, home folders, addresses of networks,
cards and mailboxes, passwords, tokens and keys were replaced. The same name has the same word in
every file. Ids of machines, updates and content are as they were. Read it before you pass it on.
`;

function configOf(paths: DevicePaths) {
  try {
    return readDeviceConfig(paths);
  } catch {
    return undefined; // Its file is in the evidence as unreadable.
  }
}

async function asked(ask: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await ask()) ?? null;
  } catch (error) {
    return { unavailable: reportError(error) };
  }
}

async function logsOf({ logs }: DevicePaths): Promise<[string, string][]> {
  const names = (await readdir(logs).catch(() => [])).filter((it) => /\.log(?:\.1)?$/.test(it));
  return await Promise.all(
    names.map(async (name): Promise<[string, string]> => [name, await endOf(join(logs, name))]),
  );
}

async function endOf(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, LOG_BYTES));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n`;
  }
}
