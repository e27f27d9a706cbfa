/**
 * What the admin console's pages say to the server. The same routes answer the CLI, which gives the
 * administration token as a bearer; a browser gives it once and has a session in a cookie then.
 *
 *   POST   /api/v1/session        {token}    -> ConsoleSession   sets the cookie; 401, 429
 *   GET    /api/v1/session                   -> ConsoleSession   401: signed out
 *   DELETE /api/v1/session                   -> {}               ends it, and its event streams
 *   GET    /api/v1/changes                   -> text/event-stream of ConsoleChange: fetch again
 *   GET    /api/v1/overview                  -> Overview                              overview.ts
 *   GET    /api/v1/compliance?days=N         -> { days: ComplianceDay[] }             overview.ts
 *   GET    /api/v1/catalogue                 -> { updates: CatalogueEntry[] }         catalogue.ts
 *   GET    /api/v1/catalogue/:channel/:product/:version        -> CatalogueDetail     catalogue.ts
 *   GET    /api/v1/catalogue/:channel/:product/:version/files?after=PATH&limit=N
 *                                            -> FilePage                              catalogue.ts
 *   GET    /api/v1/products                  -> { products: ProductLine[] }           catalogue.ts
 *   GET    /api/v1/rollouts                  -> { rollouts: ListedRollout[] }         rollouts.ts
 *   GET    /api/v1/rollouts/:channel/:rollout -> RolloutDetail                        rollouts.ts
 *   GET    /api/v1/restrictions              -> Restrictions: holds, approvals …      rollouts.ts
 *   GET    /api/v1/fleet?FleetQuery          -> FleetPage                             fleet.ts
 *   GET    /api/v1/fleet/facets              -> FleetFacets                           fleet.ts
 *   GET    /api/v1/devices/:id/standing      -> DeviceStanding                        fleet.ts
 *   GET    /api/v1/devices/:id/timeline?before=CURSOR&limit=N  -> TimelinePage        fleet.ts
 *   GET    /api/v1/devices/:id/updates       -> { updates: DeviceUpdate[] }           fleet.ts
 *   GET    /api/v1/devices/:id/when/:product/:version -> AudienceDevice              adminApi.ts
 *   GET    /api/v1/trust                     -> TrustState                            trust.ts
 *
 * Errors are `ErrorReport` bodies with a 4xx or 5xx status.
 */
import { z } from "zod";

export const SessionRequest = z.strictObject({ token: z.string().max(200) });
export type SessionRequest = z.infer<typeof SessionRequest>;

export const ConsoleSession = z.object({
  /** Where devices reach the server, for the commands that pages show. */
  serverUrl: z.url(),
  /** What the server's clock says, so that a page can tell that its own is wrong. */
  nowMs: z.int(),
});
export type ConsoleSession = z.infer<typeof ConsoleSession>;

/** What was changed, not how: the page fetches again what it shows of it. */
export const CHANGE_TOPICS = ["devices", "rollouts", "updates", "trust"] as const;

/** At most one a second. The first comes at once and names every topic: a page may have missed some. */
export const ConsoleChange = z.object({ topics: z.array(z.enum(CHANGE_TOPICS)), atMs: z.int() });
export type ConsoleChange = z.infer<typeof ConsoleChange>;
