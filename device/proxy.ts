/**
 * Which proxies a process of this device uses: those that root configured, or those of the
 * environment. In the form of an environment, as Node's own support for proxies reads it.
 */
import type { TransferSettings } from "../protocol/transfer.ts";

const NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

export function proxyEnvironment(
  transfer: TransferSettings | undefined,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const { proxy } = transfer ?? {};
  const values: [string, string | undefined][] =
    proxy === undefined
      ? NAMES.map((name) => [name, environment[name]])
      : [
          ["HTTP_PROXY", proxy.http],
          ["HTTPS_PROXY", proxy.https],
          ["NO_PROXY", proxy.except],
        ];
  return Object.fromEntries(
    values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
