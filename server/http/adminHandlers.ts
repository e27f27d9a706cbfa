/** What an administrator may ask, with the administration token. */
import type { FastifyInstance } from "fastify";
import { UpbeatError } from "../../protocol/errors/error.ts";
import { Sha256 } from "../../protocol/ids.ts";
import type { Rollout } from "../../protocol/offerPolicy.ts";
import type { Changes } from "../console/changes.ts";
import type { ContentUpload } from "../contentUpload.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Preview } from "../preview/preview.ts";
import type { PolicyOf } from "../publishing/currentPolicy.ts";
import type { Publishing } from "../publishing/publishing.ts";
import type { SignerProcess } from "../signerProcess.ts";
import type { Database } from "../storage/database.ts";
import {
  countInstalled,
  deviceDetail,
  listDevices,
  newEnrolmentSecret,
} from "../storage/devices.ts";
import { countCauses } from "../storage/diagnoses.ts";
import { countProgress } from "../storage/progress.ts";
import { listUpdates } from "../storage/updates.ts";
import { type Admission, attach } from "./attach.ts";
import { ROUTES } from "./routes.ts";

export interface AdminDeps {
  readonly db: Database;
  readonly content: ContentUpload;
  readonly publishing: Publishing;
  readonly signer: Pick<SignerProcess, "keys">;
  readonly policyOf: PolicyOf;
  readonly preview: Preview;
  readonly changes: Pick<Changes, "tell">;
  readonly fleet: Pick<Fleet, "refresh">;
  readonly now: () => number;
}

export function adminHandlers(app: FastifyInstance, deps: AdminDeps, admit: Admission): void {
  const { db, content, publishing, signer, policyOf, preview, changes, fleet } = deps;
  const { now } = deps;

  attach(app, ROUTES.signerKeys, admit, () => signer.keys());
  attach(app, ROUTES.repositoryState, admit, () => publishing.state());
  attach(app, ROUTES.publish, admit, async ({ body }) => {
    const state = await publishing.publish(body);
    fleet.refresh();
    changes.tell("updates", "rollouts", "devices", "trust");
    return state;
  });
  attach(app, ROUTES.updates, admit, async () => ({ updates: await listUpdates(db) }));
  attach(app, ROUTES.policy, admit, ({ params }) => {
    const policy = policyOf(params.channel);
    return policy === undefined ? {} : { policy };
  });
  attach(app, ROUTES.rollouts, admit, async ({ params }) => {
    const rollouts = policyOf(params.channel)?.rollouts ?? [];
    const report = async (rollout: Rollout) => ({
      rollout,
      counts: await countProgress(db, params.channel, rollout),
    });
    return { rollouts: await Promise.all(rollouts.map(report)) };
  });
  attach(app, ROUTES.storage, admit, ({ params }) => ({
    storage: publishing.storage(params.product, params.version),
  }));
  attach(app, ROUTES.installed, admit, async ({ params }) => ({
    versions: await countInstalled(db, params.product),
  }));
  attach(app, ROUTES.devices, admit, async () => ({ devices: await listDevices(db) }));
  attach(app, ROUTES.device, admit, async ({ params }) => {
    const found = await deviceDetail(db, params.id);
    if (found !== undefined) return found;
    throw new UpbeatError("UPB-SERVER-NOT-FOUND", { object: `device ${params.id}` });
  });
  attach(app, ROUTES.causes, admit, async () => ({ causes: await countCauses(db) }));
  attach(app, ROUTES.why, admit, ({ params: { id, ...asked } }) => preview.why(id, asked));
  attach(app, ROUTES.whyVersion, admit, ({ params: { id, ...asked } }) => preview.why(id, asked));
  attach(app, ROUTES.audience, admit, ({ params }) => preview.audience(params));
  attach(app, ROUTES.enrolmentToken, admit, async ({ body }) => {
    void body;
    const rootSha256 = publishing.rootSha256();
    if (rootSha256 === undefined)
      throw new UpbeatError("UPB-SERVER-NO-REPOSITORY", { object: "an enrolment token" });
    return { token: `upbeat-token.${await newEnrolmentSecret(db, now())}.${rootSha256}` };
  });
  contentRoutes(app, content, admit);
}

function contentRoutes(app: FastifyInstance, content: ContentUpload, admit: Admission): void {
  const named = (params: unknown): Sha256 => {
    const { sha256 } = params as { sha256?: unknown };
    const parsed = Sha256.safeParse(sha256);
    if (parsed.success) return parsed.data;
    throw new UpbeatError("UPB-SERVER-BAD-REQUEST", { object: `content ${String(sha256)}` });
  };
  const url = "/api/v1/content/:sha256";
  const onRequest = admit;
  app.head(url, { onRequest }, async (request, reply) =>
    reply.status(content.has(named(request.params)) ? 200 : 404).send(),
  );
  void app.register(async (scope) => {
    // Not read into memory: the handler gets the stream.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    scope.put(url, { onRequest }, async (request, reply) => {
      const isNew = await content.store(named(request.params), request.raw);
      return reply.status(isNew ? 201 : 200).send({});
    });
  });
}
