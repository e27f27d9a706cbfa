/** The layering rule of ARCHITECTURE.md as a function. Change both or neither. */
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";
import { codeOf, importsOf, type SourceFile } from "./support/sourceText.ts";

/** What each root folder may import besides itself, packages and Node. Imports only point down. */
export const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  core: ["protocol"],
  content: ["protocol", "core"],
  device: ["protocol", "core", "content"],
  server: ["protocol", "core", "content"],
  cli: ["protocol", "core", "content", "device", "server"],
  web: ["protocol"],
  bench: ["protocol", "core", "content", "device", "server", "cli", "web", "tests"],
  tests: ["protocol", "core", "content", "device", "server", "cli", "web", "bench"],
};

/** They meet only through their sockets' schemas. */
const DEVICE_SIBLINGS = ["orchestrator", "update-service", "service-manager", "settings"];

/** The private half of publishing: only the writer and hands that hold a key. */
const SIGNING = "protocol/trust/sign.ts";
const MAY_SIGN =
  /^(?:protocol\/trust\/(?:writer|documents)\.ts$|cli\/|server\/signer\/|bench\/|tests\/)/;

const NETWORK = /^node:(?:http|https|http2|net|tls|dgram|dns|dns\/promises|inspector)$/;
const NETWORK_GLOBAL = /(?<![.\w$])(?:fetch|WebSocket|EventSource)\s*\(/;
const INPUT_OUTPUT = /^node:(?:fs|fs\/promises|child_process|worker_threads|cluster|sqlite|os)$/;

/**
 * Inside the update service only these may reach a network: the downloader and the health probe,
 * both child processes without rights, and the device's own Unix sockets.
 */
const UPDATE_SERVICE = "device/update-service/";
const MAY_NETWORK =
  /^device\/(?:update-service\/(?:downloader|health-probe|healthProbe)[^/]*(?:\/|\.ts$)|local(?:Server|Client)\.ts$)/;

/** Every import that the layering forbids, as sentences; empty when all is well. */
export function forbiddenImports(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(forbiddenIn), ...networkReach(files), ...signingReach(files)];
}

function forbiddenIn({ path, text }: SourceFile): string[] {
  const layer = layerOf(path);
  const wrong: string[] = [];
  for (const { specifier, typeOnly } of importsOf(text)) {
    if (specifier === undefined) {
      wrong.push(`${path}: a computed import, which nobody can check`);
      continue;
    }
    const target = targetOf(path, specifier);
    const why =
      whyForbidden(path, layer, specifier, target) ??
      (layer === "web" && target?.startsWith("protocol/") && !typeOnly ? TYPES_ONLY : undefined);
    if (why !== undefined) wrong.push(`${path} imports ${specifier}: ${why}`);
  }
  return wrong;
}

/** Schemas check what comes in at a door; the pages get what has passed one, and stay small. */
const TYPES_ONLY = "the pages take types alone from protocol";

function whyForbidden(
  path: string,
  layer: string,
  specifier: string,
  target: string | undefined,
): string | undefined {
  if (target === undefined) {
    const builtin = specifier.startsWith("node:") || builtinModules.includes(specifier);
    if (/^web\/.+\//.test(path) && builtin) return "the pages run in a browser";
    if (layer === "core" && builtin) return "core decides and does nothing";
    if (layer === "protocol" && (NETWORK.test(specifier) || INPUT_OUTPUT.test(specifier)))
      return "protocol has no input or output";
    return undefined;
  }
  const top = target.split("/")[0] ?? "";
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return `${layer} is no layer`;
  if (top !== layer && !allowed.includes(top)) return `${layer} may not import ${top}`;
  if (target === SIGNING && !MAY_SIGN.test(path) && layer !== "tests") return "it may not sign";
  const [mine, theirs] = [siblingOf(path), siblingOf(target)];
  if (layer === "device" && mine !== undefined && theirs !== undefined && mine !== theirs)
    return `${mine} and ${theirs} meet only through a socket`;
  return undefined;
}

/** What runs inside the update service's own process, followed import by import. */
function networkReach(files: readonly SourceFile[]): string[] {
  const starts = files.filter(
    ({ path }) => path.startsWith(UPDATE_SERVICE) && layerOf(path) === "device",
  );
  return reachedFrom(files, starts, MAY_NETWORK).flatMap(({ path, text }) => {
    const wrong = importsOf(text)
      .filter(({ specifier, typeOnly }) => !typeOnly && NETWORK.test(specifier ?? ""))
      .map(({ specifier }) => `${path} imports ${specifier}: the update service has no network`);
    if (NETWORK_GLOBAL.test(codeOf(text).text))
      wrong.push(`${path} calls the network, inside the update service`);
    return wrong;
  });
}

/** No code that signs is even loaded on a device. */
function signingReach(files: readonly SourceFile[]): string[] {
  const device = files.filter(({ path }) => layerOf(path) === "device");
  return reachedFrom(files, device)
    .filter(({ path }) => path === SIGNING)
    .map(() => `something on the device imports what imports ${SIGNING}`);
}

/** These files and what they import when they run, however far, without what `except` names. */
function reachedFrom(
  files: readonly SourceFile[],
  starts: readonly SourceFile[],
  except = /^$/,
): SourceFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<SourceFile>();
  const visit = (file: SourceFile) => {
    if (seen.has(file) || except.test(file.path)) return;
    seen.add(file);
    for (const { specifier, typeOnly } of importsOf(file.text)) {
      if (specifier === undefined || typeOnly) continue;
      const next = byPath.get(targetOf(file.path, specifier) ?? "");
      if (next !== undefined) visit(next);
    }
  };
  for (const file of starts) visit(file);
  return [...seen];
}

/** Tests stand beside the source and may use what tests use. */
function layerOf(path: string): string {
  return path.endsWith(".test.ts") ? "tests" : (path.split("/")[0] ?? "");
}

function siblingOf(path: string): string | undefined {
  const [top, second] = path.split("/");
  return top === "device" ? DEVICE_SIBLINGS.find((name) => name === second) : undefined;
}

/** The file that a relative import names, from the root; undefined for packages and Node. */
function targetOf(path: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : undefined;
}
