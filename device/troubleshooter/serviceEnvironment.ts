/**
 * The network as the services see it: their proxies and their certificate authorities come from
 * their own environment, which need not be that of the person who looks.
 */
import { readFileSync } from "node:fs";
import { setGlobalProxyFromEnv } from "node:http";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { readDeviceConfig } from "../deviceConfig.ts";
import type { DevicePaths } from "../paths.ts";
import { proxyEnvironment } from "../proxy.ts";
import { serviceProcesses } from "./services.ts";

/** Of the orchestrator where one runs and may be read, else our own. */
export function serviceEnvironment(
  paths: DevicePaths,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const running = serviceProcesses(paths).find(({ service }) => service === "orchestrator");
  if (running === undefined) return { ...own };
  try {
    const text = readFileSync(`/proc/${running.pid}/environ`, "utf8");
    return Object.fromEntries(
      text.split("\0").flatMap((entry) => {
        const at = entry.indexOf("=");
        return at <= 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)]];
      }),
    );
  } catch {
    return { ...own }; // another account's
  }
}

/** Makes what this process fetches go the same way. For a program that does nothing else. */
export function takeNetworkOf(
  paths: DevicePaths,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const extra = env.NODE_EXTRA_CA_CERTS;
  if (extra !== undefined) {
    try {
      const certificates = readFileSync(extra, "utf8");
      setDefaultCACertificates([...getCACertificates("default"), certificates]);
    } catch {
      // The services cannot read it either; the check of the connection shows what follows.
    }
  }
  try {
    setGlobalProxyFromEnv(proxyEnvironment(readDeviceConfig(paths)?.transfer, env));
  } catch {
    // No configuration, or an address that is none: checks of their own say so.
  }
}
