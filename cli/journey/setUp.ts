/** Chapters one and two: a server with a signed repository, and a machine that is enrolled at it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { devicePaths } from "../../device/paths.ts";
import { ServiceInfo } from "../../protocol/servicesApi.ts";
import { EXIT } from "../exitCodes.ts";
import { duration } from "../screen/format.ts";
import { mustBe, type Stage } from "./stage.ts";

/** Two Node processes start in about a second; a slow, busy machine takes longer. */
const SERVICES_PATIENCE_MS = 60_000;

/** Returns the server's address. */
export async function startServer(stage: Stage): Promise<string> {
  stage.chapter("A server, and keys that it never sees");
  const data = join(stage.folder, "server");
  const line = await stage.startBeside("server", [
    "server",
    "--data",
    data,
    "--port",
    "0",
    "--json",
  ]);
  const started = z.object({ listening: z.url(), adminToken: z.string() }).parse(JSON.parse(line));
  stage.say(`The update server runs on ${stage.style.accent(started.listening)}.`);
  const tokenFile = join(stage.folder, "token");
  writeFileSync(tokenFile, started.adminToken, { mode: 0o600 });
  const init = z.object({ rootSha256: z.string(), keys: z.array(z.object({ name: z.string() })) });
  const args = ["keys", "init", "--server", started.listening, "--token-file", tokenFile, "--save"];
  const { rootSha256, keys } = await stage.ask(init, args);
  stage.say(
    `${keys.length} signing keys were made; two of the three root keys signed the first repository ${stage.style.dim(rootSha256.slice(0, 12))}.`,
  );
  return started.listening;
}

export async function startDevice(stage: Stage, server: string, product: string): Promise<void> {
  stage.chapter("A machine");
  const { token } = await stage.ask(z.object({ token: z.string() }), ["devices", "token"]);
  const enrolled = z.object({ config: z.object({ deviceId: z.string() }) });
  const args = [
    "device",
    "enrol",
    server,
    "--token",
    token,
    "--product",
    product,
    "--name",
    "journey",
  ];
  const { config } = await stage.ask(enrolled, args);
  stage.say(`It enrolled with a one-time token as ${config.deviceId}.`);
  askBeforeAnything(stage.deviceRoot);
  stage.say("Its administrator wants it to ask first; by itself it would install at a quiet time.");
  void stage.startBeside("device", ["device", "run"]).catch(() => undefined);
  const services = await servicesRunning(stage);
  const pids = services.map((one) => `${one.name} (process ${one.pid})`).join(" and ");
  stage.say(`Its service manager started ${pids}.`);
}

/** Each step here is a command that somebody types, so nothing may happen before it is typed. */
function askBeforeAnything(root: string): void {
  const settings = { download: "ask", install: "ask" };
  writeFileSync(devicePaths(root).settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}

async function servicesRunning(stage: Stage): Promise<ServiceInfo[]> {
  const schema = z.object({ services: z.array(ServiceInfo).default([]) });
  const deadlineMs = Date.now() + SERVICES_PATIENCE_MS;
  for (;;) {
    const answer = await stage.ask(schema, ["services"], [EXIT.ok, EXIT.notRunning]);
    const { services } = answer;
    if (services.length === 2 && services.every((one) => one.state === "running")) return services;
    const claim = `both services run within ${duration(SERVICES_PATIENCE_MS)}`;
    mustBe(claim, Date.now() < deadlineMs, services);
    await sleep(200, undefined, { signal: stage.world.interrupted });
  }
}
