/**
 * The thread in which the disk lives: whoever uses the mounted disk may block on it, and must not be
 * the one who serves it.
 */
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { DiskAnswer, DiskOrder, LogEntry } from "./diskLog.ts";
import { nbdServer } from "./nbdServer.ts";

const { imagePath, socketPath } = workerData as { imagePath: string; socketPath: string };
const log: LogEntry[] = [];
const server = nbdServer(readFileSync(imagePath), log);

const answer = (message: DiskAnswer) => parentPort?.postMessage(message);
parentPort?.on("message", (order: DiskOrder) => {
  if (order.kind === "mark") {
    log.push({ kind: "mark", name: order.name });
    answer({ kind: "marked" });
  } else {
    answer({ kind: "ended", log });
  }
});
server.listen(socketPath, () => answer({ kind: "listening" }));
