/**
 * The update service's hands on the network: a process without rights, which can write to one folder
 * and is believed in nothing. Started by `downloaderProcess.ts`.
 *
 * Its argument: `DownloaderSettings` as JSON. Requests come in on standard input, replies go out on
 * standard output. The proxies of its environment are used by all of `node:http` in it.
 */
import { writeFileSync } from "node:fs";
import { setGlobalProxyFromEnv } from "node:http";
import { join } from "node:path";
import { httpMetadataSource, httpTargetReader } from "../../../content/metadataSource.ts";
import { reportError, UpbeatError } from "../../../protocol/errors/upbeatError.ts";
import { fetchContent } from "./fetchContent.ts";
import { onLines } from "./lines.ts";
import type { DownloaderSettings, DownloadReply, DownloadRequest } from "./messages.ts";
import { fileOf, MAX_LINE_LENGTH } from "./places.ts";
import { sourcesOf } from "./sources.ts";
import { throttle } from "./throttle.ts";

// Its parent has checked what it says, and may do everything that this process may.
const settings: DownloaderSettings = JSON.parse(process.argv[2] ?? "");
const { folder, transfer } = settings;
const baseUrl = new URL(settings.serverUrl);
setGlobalProxyFromEnv();
const world = {
  folder,
  sources: sourcesOf([...transfer.mirrors.map((url) => new URL(url)), baseUrl], () =>
    performance.now(),
  ),
  throttle: throttle(transfer.bandwidth, settings.kind, () => new Date()),
};
const metadata = httpMetadataSource(baseUrl);
const target = httpTargetReader(baseUrl);

const reply = (message: DownloadReply): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

async function answer(request: DownloadRequest): Promise<"done" | "absent"> {
  if (request.kind === "content") {
    const onProgress = (bytes: number) => reply({ id: request.id, kind: "progress", bytes });
    await fetchContent(world, { content: request, skip: request.skip, onProgress });
    return "done";
  }
  const bytes =
    request.kind === "metadata"
      ? await metadata.fetch(request.name, request.maxBytes)
      : await target(request.path, request.sha256, request.maxBytes);
  if (bytes === undefined) return "absent";
  writeFileSync(join(folder, fileOf(request)), bytes, { mode: 0o600 });
  return "done";
}

function onLine(line: string): void {
  const request: DownloadRequest = JSON.parse(line);
  answer(request).then(
    (kind) => reply({ id: request.id, kind }),
    (error: unknown) =>
      reply({ id: request.id, kind: "failed", error: reportError(asStorageError(error)) }),
  );
}

onLines(process.stdin, MAX_LINE_LENGTH, onLine, () => process.exit(1));
// The service has ended: nobody is left to download for.
process.stdin.on("end", () => process.exit(0));

function asStorageError(error: unknown): unknown {
  const native = error instanceof Error && "code" in error ? error.code : undefined;
  if (native !== "ENOSPC" && native !== "EDQUOT") return error;
  return new UpbeatError("UPB-DOWNLOAD-DISK-FULL", { object: folder, cause: error });
}
