/** Faults between the machine and its server: names, proxies, TLS, portals, clocks, lying servers. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signingKeyFromPem, signMetadata } from "../../../protocol/trust/sign.ts";
import { staticRepository } from "../../support/staticRepository.ts";
import type { Front } from "./front.ts";
import { type DeviceOptions, HOST, type Lab } from "./lab.ts";
import type { LabDevice } from "./labDevice.ts";
import type { Fault } from "./trial.ts";

const heal = (device: LabDevice) => device.lab.heal();
const certificate = (
  name: string,
  cause: Fault["cause"],
  show: (front: Front, lab: Lab) => void,
): Fault => ({
  name,
  cause,
  break: ({ lab }) => show(lab.front, lab),
  instruction: heal,
});
const answers = (
  name: string,
  cause: Fault["cause"],
  interfere: NonNullable<Front["interfere"]>,
): Fault => ({
  name,
  cause,
  break: ({ lab }) => {
    lab.front.interfere = interfere;
  },
  instruction: heal,
});

export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: "the name server does not know the server",
    cause: "name-not-resolved",
    break: ({ lab }) => void lab.names.names.delete(HOST),
    instruction: heal,
  },
  {
    name: "the name server is silent",
    cause: "name-not-resolved",
    break: ({ lab }) => {
      lab.names.behaviour = "silent";
    },
    instruction: heal,
  },
  {
    name: "the hosts file sends the name elsewhere",
    cause: "name-overridden",
    break: ({ lab }) => appendFileSync(lab.hostsFile, `127.9.9.9 ${HOST}\n`),
    instruction: heal,
  },
  {
    name: "nothing listens at the server's address",
    cause: "server-unreachable",
    break: ({ lab }) => lab.front.shut(),
    instruction: ({ lab }) => lab.front.open(),
  },
  certificate("the certificate has expired", "certificate-expired", (front, lab) =>
    front.show(lab.certificates.expired),
  ),
  certificate("the certificate is not valid yet", "certificate-not-yet-valid", (front, lab) =>
    front.show(lab.certificates.notYet),
  ),
  certificate("the certificate is for another name", "certificate-wrong-name", (front, lab) =>
    front.show(lab.certificates.wrongName),
  ),
  certificate("the certificate's authority is unknown", "certificate-unknown", (front, lab) =>
    front.show(lab.certificates.unknown),
  ),
  certificate("an appliance opens the connection", "tls-inspected", (front, lab) =>
    front.show(lab.certificates.inspected),
  ),
  certificate("only an old TLS is spoken", "tls-too-old", (front, lab) =>
    front.show(lab.certificates.good, "old"),
  ),
  answers("a captive portal answers every request", "captive-portal", (_req, res) => {
    res
      .writeHead(200, { "content-type": "text/html" })
      .end("<html><body>Sign in to Free WiFi</body></html>");
    return true;
  }),
  answers("a captive portal redirects every request", "captive-portal", (_req, res) => {
    res.writeHead(302, { location: "http://portal.example/login" }).end();
    return true;
  }),
  answers("the server is overloaded", "server-busy", (_req, res) => {
    res.writeHead(503, { "retry-after": "30" }).end();
    return true;
  }),
  answers("the server hangs", "server-busy", () => true),
  answers("another web server answers", "server-refuses", (_req, res) => {
    res.writeHead(404, { "content-type": "text/plain" }).end("not here");
    return true;
  }),
  {
    name: "something strips ranges",
    cause: "ranges-stripped",
    harmless: true,
    break: ({ lab }) => {
      lab.front.stripRanges = true;
    },
  },
  {
    name: "the signed metadata has expired",
    cause: "metadata-expired",
    break: ({ lab }) =>
      serveTimestamp(lab, (signed) => ({ ...signed, expires: "2026-01-01T00:00:00Z" })),
    instruction: heal,
  },
  {
    name: "the server shows an older state",
    cause: "metadata-rolled-back",
    break: ({ lab }) => serve(lab, lab.olderTimestamp),
    instruction: heal,
  },
  {
    name: "the signed metadata was changed on the way",
    cause: "metadata-refused",
    async break({ lab }) {
      const answer = await fetch(`${lab.server.url}/metadata/timestamp.json`);
      const text = await answer.text();
      serve(
        lab,
        Buffer.from(
          text.replace(/"version":(\d+)/, (_, version) => `"version":${Number(version) + 1}`),
        ),
      );
    },
    instruction: heal,
  },
  {
    name: "another update server answers at the address",
    cause: "wrong-server",
    async break({ lab }) {
      const folder = join(lab.folder, `other-${Date.now()}`);
      mkdirSync(folder);
      const other = await (await staticRepository(folder)).serve();
      lab.onHeal(() => other.close());
      lab.front.upstream = other.url;
    },
    instruction: heal,
  },
  {
    name: "the proxy is away",
    cause: "proxy-unreachable",
    options: { env: { HTTPS_PROXY: "http://127.0.0.1:9" } },
    break: () => {},
    instruction: (device) => restartWithout(device, "HTTPS_PROXY"),
  },
  {
    // The device cannot resolve the name itself: whatever goes past the proxy fails.
    name: "behind a proxy that works, only it knows the name, and the server is overloaded",
    cause: "server-busy",
    options: (lab) => ({ env: { HTTPS_PROXY: lab.proxy.url } }),
    break: ({ lab }) => {
      lab.names.names.delete(HOST);
      lab.front.interfere = (_req, res) => {
        res.writeHead(503, { "retry-after": "30" }).end();
        return true;
      };
    },
    instruction: ({ lab }) => {
      lab.front.interfere = undefined;
    },
  },
  {
    name: "the proxy wants a login",
    cause: "proxy-wants-login",
    options: (lab) => ({ env: { HTTPS_PROXY: lab.proxy.url } }),
    break: ({ lab }) => {
      lab.proxy.wantsLogin = true;
    },
    instruction: heal,
  },
  {
    name: "the machine has no network",
    cause: "offline",
    break: (device) => device.unplug(true),
    instruction: (device) => device.unplug(false),
  },
  {
    name: "the clock is 400 days ahead, and a time service can set it",
    cause: "clock-wrong",
    options: (lab) => clockOptions(lab, "+400d", true),
    break: () => {},
  },
  {
    name: "the clock is 400 days ahead, and nothing can set it",
    cause: "clock-wrong",
    options: (lab) => clockOptions(lab, "+400d", false),
    break: () => {},
    instruction: ({ lab }) => writeFileSync(clockFile(lab), "+0"),
  },
  {
    name: "the clock is 3000 days behind",
    cause: "clock-wrong",
    options: (lab) => clockOptions(lab, "-3000d", true),
    break: () => {},
  },
];

const clockFile = (lab: Lab): string => join(lab.folder, "clock");

/** libfaketime reads the file at each call; the "time service" of the machine writes it. */
function clockOptions(lab: Lab, shift: string, canBeSet: boolean): DeviceOptions {
  writeFileSync(clockFile(lab), shift);
  const programs = join(lab.folder, "programs");
  mkdirSync(programs, { recursive: true });
  const chronyc = join(programs, "chronyc");
  writeFileSync(
    chronyc,
    canBeSet ? `#!/bin/sh\nprintf %s +0 > ${clockFile(lab)}\n` : "#!/bin/sh\nexit 1\n",
  );
  chmodSync(chronyc, 0o755);
  return {
    env: {
      PATH: `${programs}:/usr/bin:/bin`,
      LD_PRELOAD: "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
      FAKETIME_TIMESTAMP_FILE: clockFile(lab),
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  };
}

async function restartWithout(device: LabDevice, name: string): Promise<void> {
  await device.stop();
  device.env[name] = "";
  await device.startManager();
}

function serve(lab: Lab, bytes: Uint8Array): void {
  lab.front.interfere = (req, res) => {
    if (req.url !== "/metadata/timestamp.json") return false;
    res.writeHead(200, { "content-type": "application/json" }).end(bytes);
    return true;
  };
}

/** Signed by the server's own key, as a server that was forgotten would have left it. */
async function serveTimestamp(
  lab: Lab,
  change: (signed: Record<string, unknown>) => object,
): Promise<void> {
  const answer = await fetch(`${lab.server.url}/metadata/timestamp.json`);
  const { signed } = (await answer.json()) as { signed: Record<string, unknown> };
  const key = signingKeyFromPem(readFileSync(join(lab.serverData, "signer/timestamp.pem"), "utf8"));
  const changed = { ...signed, version: Number(signed.version) + 1 };
  serve(lab, signMetadata({ ...changed, ...change(changed) }, [key]));
}
