/**
 * The archive of a support bundle, by the system's own tar, which every Debian has. Written from a
 * folder of our own; of one that came from elsewhere a single member is read as a stream: nothing of
 * it ever becomes a file here, whatever its names and links say.
 *
 * Errors: UPB-BUNDLE-WRITE, UPB-BUNDLE-UNREADABLE.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { UpbeatError } from "../../../protocol/errors/error.ts";

/** All that is in it stands below this. */
const TOP = "upbeat-support";
/** A bundle of a machine with many products has some megabytes. */
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
const TAR_MS = 60_000;

/** `files` by path inside the bundle. `output` must not exist yet; nobody else may read it. */
export async function writeArchive(
  output: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "upbeat-bundle-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, TOP, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { mode: 0o600 });
    }
    const own = ["--owner=0", "--group=0", "--numeric-owner"];
    const tar = spawn("tar", [...own, "-cz", "-C", folder, TOP], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TAR_MS,
    });
    const ended = once(tar, "close");
    const target = createWriteStream(output, { flags: "wx", mode: 0o600 });
    await pipeline(tar.stdout, target);
    const [code] = await ended;
    if (code !== 0) throw new Error(`tar ended with ${String(code)}`);
  } catch (cause) {
    throw new UpbeatError("UPB-BUNDLE-WRITE", { object: output, cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The text of one member; at most `maxBytes` of it, however much the archive claims or unpacks to. */
export async function readMember(file: string, name: string, maxBytes: number): Promise<string> {
  const refuse = (detail: string) =>
    new UpbeatError("UPB-BUNDLE-UNREADABLE", { object: file, detail });
  const about = await stat(file).catch(() => undefined);
  if (about === undefined) throw refuse("there is no such file");
  if (!about.isFile()) throw refuse("it is not a file");
  if (about.size > MAX_ARCHIVE_BYTES) throw refuse(`it has more than ${MAX_ARCHIVE_BYTES} bytes`);
  // `--` ends the options; the name is ours. To the output: no path of the archive is followed.
  const args = ["-xzO", "--occurrence=1", "-f", "-", "--", `${TOP}/${name}`];
  const tar = spawn("tar", args, { stdio: ["pipe", "pipe", "ignore"], timeout: TAR_MS });
  // It has ended before it read all: the member was found.
  void pipeline(createReadStream(file), tar.stdin).catch(() => undefined);
  const ended = once(tar, "close");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= maxBytes) continue;
    tar.kill("SIGKILL");
    throw refuse(`${name} has more than ${maxBytes} bytes`);
  }
  const [code] = await ended;
  if (size === 0) throw refuse(code === 0 ? `${name} is empty` : `there is no ${name} in it`);
  return Buffer.concat(chunks).toString("utf8");
}
