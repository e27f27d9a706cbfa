/**
 * The fault laboratory: a real update server behind a real TLS terminator, names from a real name
 * server, and devices whose processes live in a mount name space of their own, so that /etc/hosts,
 * /etc/resolv.conf and small disks are theirs alone. Needs root.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { run } from "../../../cli/run.ts";
import { testWorld } from "../../support/cliWorld.ts";
import { type ServerProcess, startServer } from "../../support/serverProcess.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type ForwardProxy, startForwardProxy } from "./forwardProxy.ts";
import { type Front, startFront } from "./front.ts";
import { type LabDevice, startDevice } from "./labDevice.ts";
import { type NameServer, startNameServer } from "./nameServer.ts";

export const HOST = "updates.lab.test";
export const OLD = "1.0.0";
export const NEW = "1.1.0";

export const canRunLab = process.getuid?.() === 0;

export interface Lab {
  readonly folder: string;
  readonly server: ServerProcess;
  readonly serverData: string;
  readonly front: Front;
  readonly names: NameServer;
  readonly certificates: Certificates;
  /** Loopback addresses that nobody else uses: of the name server, and of the front. */
  readonly addresses: { readonly names: string; readonly front: string };
  /** What the devices see as /etc/hosts and /etc/resolv.conf. */
  readonly hostsFile: string;
  readonly resolvFile: string;
  /** The metadata as it was before the newest update. */
  readonly olderTimestamp: Buffer;
  /** A command inside the devices' name space. */
  inside(command: string, args: readonly string[]): string;
  /** How a program is started there. */
  entering(command: string, args: readonly string[]): [string, string[]];
  /** An enrolled machine that runs kiosk 1.0.0, with 1.1.0 on the server. */
  device(options?: DeviceOptions): Promise<LabDevice>;
  readonly proxy: ForwardProxy;
  /** An update of another product, which wants a restart of the machine; once. */
  releaseDriver(): Promise<void>;
  /** Another one-time token. */
  token(): Promise<string>;
  /** The network as it should be. */
  heal(): Promise<void>;
  onHeal(undo: () => Promise<void>): void;
  close(): Promise<void>;
}

export interface DeviceOptions {
  /** For its services and for the commands that are typed on it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Puts its state on a file system of its own. */
  readonly disk?: { readonly sizeBytes: number; readonly files: number };
  /** Programs of its own, as a package has them, instead of those of the checkout. */
  readonly ownProgram?: true;
  /** Before its services start. */
  readonly prepare?: (root: string) => void | Promise<void>;
}

export async function openLab(): Promise<Lab> {
  // Short: the path of a Unix socket may have 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "upl-"));
  const addresses = { names: freshLoopback(), front: freshLoopback() };
  const hostsFile = join(folder, "hosts");
  const resolvFile = join(folder, "resolv.conf");
  const writeNetwork = () => {
    writeFileSync(hostsFile, "127.0.0.1 localhost\n");
    writeFileSync(resolvFile, `nameserver ${addresses.names}\noptions timeout:1 attempts:1\n`);
  };
  writeNetwork();
  const names = await startNameServer(addresses.names);
  const setNames = () => {
    names.names.clear();
    names.names.set(HOST, addresses.front);
    names.behaviour = "answer";
  };
  setNames();
  const certificates = makeCertificates(folder, HOST);
  const serverData = join(folder, "server");
  mkdirSync(serverData);
  const front = await startFront(addresses.front, certificates.good);
  const url = `https://${HOST}:${front.port}`;
  const server = await startServer(serverData, "--public-url", url);
  front.upstream = server.url;
  const proxy = await startForwardProxy(addresses.front, (host) =>
    host === HOST ? addresses.front : host,
  );
  const undos: (() => Promise<void>)[] = [];
  const holder = await holdNameSpace(hostsFile, resolvFile);
  const entering = (command: string, args: readonly string[]): [string, string[]] => [
    "nsenter",
    ["-m", "-t", String(holder.pid), command, ...args],
  ];
  const publisher = await newPublisher(folder, server);
  await publisher.release(OLD);
  const olderTimestamp = await publisher.timestamp();

  const lab: Lab = {
    folder,
    server,
    serverData,
    front,
    names,
    certificates,
    addresses,
    hostsFile,
    resolvFile,
    olderTimestamp,
    entering,
    proxy,
    token: publisher.token,
    releaseDriver: publisher.releaseDriver,
    onHeal: (undo) => void undos.push(undo),
    inside(command, args) {
      const [program, all] = entering(command, args);
      return execFileSync(program, all, { encoding: "utf8", timeout: 30_000 });
    },
    device: (options = {}) => makeDevice(options),
    async heal() {
      writeNetwork();
      setNames();
      front.interfere = undefined;
      front.stripRanges = false;
      front.upstream = server.url;
      front.show(certificates.good);
      proxy.wantsLogin = false;
      for (const undo of undos.splice(0)) await undo();
    },
    async close() {
      holder.kill("SIGKILL");
      await proxy.close();
      await front.close();
      await names.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  const trust = { NODE_EXTRA_CA_CERTS: certificates.authorityFile };
  const template = join(folder, "t");
  const first = await startDevice(lab, template, trust, async (device) => {
    const token = await publisher.token();
    await device.must("device", "enrol", url, "--token", token, "--product", "kiosk");
  });
  await first.installVersion(OLD);
  await publisher.release(NEW);
  await first.must("check");
  await first.stop();

  let count = 0;
  const makeDevice = async (options: DeviceOptions): Promise<LabDevice> => {
    count += 1;
    const root = join(folder, `d${count}`);
    mkdirSync(root);
    if (options.disk !== undefined) {
      const { sizeBytes, files } = options.disk;
      const state = join(root, "var/lib/upbeat");
      mkdirSync(state, { recursive: true });
      lab.inside("mount", [
        "-t",
        "tmpfs",
        "-o",
        `size=${sizeBytes},nr_inodes=${files},mode=755`,
        "tmpfs",
        state,
      ]);
    }
    // Inside, because its disk is there alone.
    lab.inside("cp", ["-a", `${template}/.`, root]);
    lab.inside("rm", ["-rf", join(root, "run")]);
    const program = join(folder, `p${count}`);
    if (options.ownProgram === true) mkdirSync(program);
    return await startDevice(
      lab,
      root,
      { ...trust, ...options.env },
      async (device) => {
        if (options.ownProgram === true) await device.installProgram();
        await options.prepare?.(root);
      },
      options.ownProgram === true ? program : undefined,
    );
  };
  return lab;
}

/** 127.0.0.0/8 is all loopback: a random address keeps laboratories that run side by side apart. */
function freshLoopback(): string {
  const part = () => 1 + Math.floor(Math.random() * 254);
  return `127.${part()}.${part()}.${part()}`;
}

/** A process that keeps a mount name space alive, with these two files over the system's. */
async function holdNameSpace(hosts: string, resolv: string): Promise<ChildProcess> {
  const script = `mount --bind ${hosts} /etc/hosts && mount --bind ${resolv} /etc/resolv.conf && echo ready && exec sleep 3600`;
  const holder = spawn("unshare", ["-m", "--propagation", "private", "sh", "-c", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (holder.stdout === null) throw new Error("it has no output");
  await Promise.race([
    once(holder.stdout, "data"),
    once(holder, "close").then(() => {
      throw new Error("the name space cannot be made");
    }),
  ]);
  return holder;
}

async function newPublisher(folder: string, server: ServerProcess) {
  const env = {
    XDG_CONFIG_HOME: join(folder, "publisher"),
    UPBEAT_SERVER: server.url,
    UPBEAT_TOKEN: server.adminToken ?? "",
  };
  const upbeat = async (...args: string[]) => {
    const world = testWorld(args, { env, cwd: folder, now: Date.now });
    const code = await run(world);
    if (code !== 0)
      throw new Error(`upbeat ${args.join(" ")}: ${world.printed.out}${world.printed.err}`);
    return world.printed.out;
  };
  await upbeat("keys", "init", "--no-passphrase", "--json");
  return {
    async release(version: string) {
      const tree = join(folder, `kiosk-${version}`);
      mkdirSync(tree);
      writeFileSync(join(tree, "main.js"), `console.log("kiosk ${version}")\n`);
      // Large enough that a download is more than one packet, and that a range of it is a range.
      writeFileSync(join(tree, "data.bin"), Buffer.alloc(64 * 1024, version));
      await upbeat("publish", tree, "--product", "kiosk", "--version", version, "--json");
    },
    async releaseDriver() {
      const tree = join(folder, "driver-1.0.0");
      if (existsSync(tree)) return;
      mkdirSync(tree);
      writeFileSync(join(tree, "driver.ko"), "driver");
      const update = ["--product", "driver", "--version", "1.0.0", "--restart", "always"];
      await upbeat("publish", tree, ...update, "--json");
    },
    async timestamp() {
      const answer = await fetch(`${server.url}/metadata/timestamp.json`);
      return Buffer.from(await answer.arrayBuffer());
    },
    async token() {
      const Token = z.object({ token: z.string() });
      return Token.parse(JSON.parse(await upbeat("devices", "token", "--json"))).token;
    },
  };
}
