/** What the admin console's pages ask (`protocol/admin/console.ts`). */
import type { FastifyInstance } from "fastify";
import { Channel } from "../../protocol/ids.ts";
import type { OfferPolicy } from "../../protocol/offerPolicy.ts";
import { catalogue } from "../console/catalogue.ts";
import { deviceStanding, deviceTimeline, deviceUpdates } from "../console/device.ts";
import { fleetFacets } from "../console/facets.ts";
import { overview } from "../console/overview.ts";
import { consoleRollouts } from "../console/rollouts.ts";
import { trustState } from "../console/trust.ts";
import { findDevices } from "../fleet/search.ts";
import type { Preview } from "../preview/preview.ts";
import type { PolicyOf } from "../publishing/currentPolicy.ts";
import { readTargets } from "../publishing/currentSet.ts";
import type { Publishing } from "../publishing/publishing.ts";
import type { RepositoryFiles } from "../repositoryFiles.ts";
import { complianceDays } from "../storage/compliance.ts";
import type { Database } from "../storage/database.ts";
import { type Admission, attach } from "./attach.ts";
import { ROUTES } from "./routes.ts";

export interface ConsoleDeps {
  readonly db: Database;
  readonly files: RepositoryFiles;
  readonly publishing: Publishing;
  readonly policyOf: PolicyOf;
  readonly preview: Preview;
  readonly now: () => number;
}

export function consoleHandlers(app: FastifyInstance, deps: ConsoleDeps, admit: Admission): void {
  const { db, files, publishing, preview, now } = deps;
  const rollouts = consoleRollouts({ db, policies: () => policiesOf(deps), now });
  const updates = catalogue(deps);
  const trust = () => trustState(files, publishing);

  attach(app, ROUTES.overview, admit, async () =>
    overview({ db, trust: trust(), rollouts: await rollouts.list(), nowMs: now() }),
  );
  attach(app, ROUTES.compliance, admit, async ({ params }) => ({
    days: await complianceDays(db, params.days, now()),
  }));
  attach(app, ROUTES.catalogue, admit, async () => ({ updates: await updates.entries() }));
  attach(app, ROUTES.catalogueDetail, admit, ({ params }) => updates.detail(params));
  attach(app, ROUTES.catalogueFiles, admit, ({ params }) =>
    updates.files(params, params.after, params.limit),
  );
  attach(app, ROUTES.products, admit, async () => ({ products: await updates.products() }));
  attach(app, ROUTES.allRollouts, admit, async () => ({ rollouts: await rollouts.list() }));
  attach(app, ROUTES.rollout, admit, ({ params }) =>
    rollouts.detail(params.channel, params.rollout),
  );
  attach(app, ROUTES.restrictions, admit, () => rollouts.restrictions());
  attach(app, ROUTES.fleet, admit, ({ params }) => findDevices(db, params));
  attach(app, ROUTES.fleetFacets, admit, () => fleetFacets(db));
  attach(app, ROUTES.standing, admit, ({ params }) => deviceStanding(db, preview, params.id));
  attach(app, ROUTES.timeline, admit, ({ params }) =>
    deviceTimeline(db, params.id, params.before, params.limit),
  );
  attach(app, ROUTES.deviceUpdates, admit, async ({ params }) => ({
    updates: await deviceUpdates(db, preview, params.id),
  }));
  attach(app, ROUTES.when, admit, ({ params: { id, ...update } }) => preview.when(id, update));
  attach(app, ROUTES.trust, admit, trust);
}

function policiesOf({ files, publishing, policyOf }: ConsoleDeps): OfferPolicy[] {
  const current = publishing.current();
  if (current === undefined) return [];
  const channels = readTargets(files, current, "targets").delegations?.roles ?? [];
  return channels.flatMap(({ name }) => policyOf(Channel.parse(name)) ?? []);
}
