import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { httpMetadataSource } from "../content/metadataSource.ts";
import { RepositoryState, SignerKeys } from "../protocol/adminApi.ts";
import { refresh } from "../protocol/trust/client.ts";
import { memoryStore } from "../tests/support/memoryStore.ts";
import { callsOf, startServer } from "../tests/support/serverProcess.ts";
import { testPublisher } from "../tests/support/testPublisher.ts";

/** Each starts two processes again; every step in between has its turn in `crash.test.ts`. */
const KILLS = 8;
/** Sixteen starts of a process, also on a machine that does a lot besides. */
const PATIENCE_MS = 240_000;

it(
  "has the old set or the new one after kill -9 at a random moment of a publish",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "upbeat-kill-"));
    const data = join(folder, "data");
    let server = await startServer(data);
    const token = server.adminToken ?? "";
    const { admin, get, post, json } = callsOf(
      () => server,
      () => token,
    );
    const outcomes: ("old" | "new")[] = [];
    try {
      const publisher = testPublisher(
        SignerKeys.parse(await json(get("/api/v1/signer", admin()))),
        Date.now(),
      );
      const first = publisher.first();
      await post("/api/v1/repository", first);
      publisher.taken(first);
      const root = publisher.roles.get("root") ?? new Uint8Array();

      for (let round = 1; round <= KILLS; round++) {
        const update = publisher.add(publisher.manifest({ version: `1.${round}` }));
        const answered = post("/api/v1/repository", update).catch(() => undefined);
        await sleep(Math.random() * 40);
        await server.stop("SIGKILL");
        const wasAccepted = (await answered)?.ok === true;
        server = await startServer(data);
        const state = RepositoryState.parse(await json(get("/api/v1/repository", admin())));
        const isNew =
          state.versions["stable"] === outcomes.filter((one) => one === "new").length + 2;
        // What was acknowledged is never lost.
        if (wasAccepted) expect(isNew).toBe(true);
        outcomes.push(isNew ? "new" : "old");
        if (isNew) publisher.taken(update);
        const trusted = await refresh({
          trustedRoot: root,
          store: memoryStore(),
          source: httpMetadataSource(new URL(server.url)),
          now: Date.now,
        });
        const found = await trusted.findTarget(`stable/kiosk/1.${round}.json`);
        expect(found !== undefined).toBe(isNew);
      }
      console.log(`server killed ${KILLS} times while publishing: ${outcomes.join(" ")}`);
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  PATIENCE_MS,
);
