/**
 * The update service in this process, with a clock and a boot to turn; its downloader is the real
 * child, its server real HTTP, its state real SQLite.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type UpdateService, updateService } from "../../device/update-service/service.ts";
import type { UpdateId } from "../../protocol/ids.ts";
import type { JobRequest, UpdateRecord } from "../../protocol/updateServiceApi.ts";
import {
  type Release,
  type StaticRepository,
  type StaticServer,
  staticRepository,
} from "./staticRepository.ts";
import { prepareDevice } from "./updateServiceProcess.ts";

export interface ClockedService {
  readonly folder: string;
  readonly repository: StaticRepository;
  readonly server: StaticServer;
  readonly products: string;
  readonly clock: { nowMs: number; bootId: string };
  service: UpdateService;
  /** Does it, and gives the record of the update that it was about. */
  work(job: JobRequest): Promise<UpdateRecord | undefined>;
  /** Publishes a folder, downloads and installs it. */
  take(tree: string, release: Release): Promise<UpdateRecord | undefined>;
  /** As after a start of the service or of the machine. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function clockedService(product: string): Promise<ClockedService> {
  const folder = mkdtempSync(join(tmpdir(), "upbeat-clocked-"));
  const clock = { nowMs: Date.now(), bootId: "first" };
  const repository = await staticRepository(join(folder, "repository"), clock.nowMs);
  const server = await repository.serve();
  const root = join(folder, "root");
  const paths = prepareDevice(root, {
    serverUrl: server.url,
    trustedRoot: repository.root,
    products: { [product]: "stable" },
  });
  const start = () =>
    updateService({
      say: () => {},
      root,
      now: () => clock.nowMs,
      bootId: () => clock.bootId,
      warn: () => {},
    });
  const recordOf = (update: UpdateId) => clocked.service.journal.record(update);
  const clocked: ClockedService = {
    folder,
    repository,
    server,
    products: join(paths.installed, "products"),
    clock,
    service: start(),
    async work(job) {
      clocked.service.jobs.accept(job);
      await clocked.service.jobs.idle();
      return "update" in job ? recordOf(job.update) : undefined;
    },
    async take(tree, release) {
      const update = await repository.publish(tree, release);
      const downloaded = await clocked.work({ kind: "download", update });
      if (downloaded?.state !== "downloaded") return downloaded;
      return clocked.work({ kind: "install", update });
    },
    async restart() {
      await clocked.service.close();
      clocked.service = start();
      clocked.service.jobs.resume();
      await clocked.service.jobs.idle();
    },
    async close() {
      await clocked.service.jobs.idle();
      await clocked.service.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return clocked;
}
