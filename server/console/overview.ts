/** How the fleet stands, on one page. */
import type { Attention, FailureCluster, Overview } from "../../protocol/admin/overview.ts";
import type { ListedRollout } from "../../protocol/admin/rollouts.ts";
import type { TrustState } from "../../protocol/admin/trust.ts";
import { catalogueRow } from "../../protocol/errors/catalogue.ts";
import { deviceCounts } from "../storage/compliance.ts";
import type { Database } from "../storage/database.ts";
import { countCauses } from "../storage/diagnoses.ts";
import { type LabelCount, labelCounts } from "../storage/labels.ts";

/** More kinds of failure at once than anybody looks at. */
const LISTED_FAILURES = 50;
/** A person needs days to bring keys together; the server's own roles are signed again by itself. */
const SOON_MS = { offline: 30 * 86_400_000, online: 3_600_000 };

export async function overview(deps: {
  readonly db: Database;
  readonly trust: TrustState;
  readonly rollouts: readonly ListedRollout[];
  readonly nowMs: number;
}): Promise<Overview> {
  const { db, trust, nowMs } = deps;
  const counts = await deviceCounts(db);
  const devices = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const attention: Attention[] = (["failing", "silent", "unknown"] as const).flatMap((state) =>
    counts[state] === 0 ? [] : [{ kind: "devices", state, devices: counts[state] }],
  );
  const expiring = trust.roles.filter(
    ({ expiresMs, online }) => expiresMs - nowMs < (online ? SOON_MS.online : SOON_MS.offline),
  );
  return {
    atMs: nowMs,
    devices,
    counts,
    needingAttention: counts.failing + counts.silent + counts.unknown,
    attention: [
      ...(trust.roles.length === 0 ? [{ kind: "no-repository" } as const] : []),
      ...attention,
      ...expiring.map(({ role, expiresMs }) => ({ kind: "expiry", role, expiresMs }) as const),
    ],
    rollouts: deps.rollouts.filter(({ rollout }) => rollout.state !== "halted"),
    failures: (await labelCounts(db, "error:", LISTED_FAILURES)).map(clusterOf),
    causes: await countCauses(db),
  };
}

function clusterOf({ value: code, devices }: LabelCount): FailureCluster {
  const row = catalogueRow(code);
  if (row === undefined) return { code, title: code, causes: [], devices };
  const { text: title, stage, causes, remedy, retry } = row;
  return { code, title, stage, causes: [...causes], remedy, retry, devices };
}
