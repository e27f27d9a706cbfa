/**
 * Named points at which the kill harness ends the process, as a power cut would: at once.
 *
 * Inert unless the environment says otherwise, and whoever can set the environment of a service can
 * end it anyway. `UPBEAT_KILL_AT=tag` kills at the first passing, `tag#3` at the third.
 */
export const KILL_POINTS = [
  "download:before-record",
  "download:recorded",
  "download:metadata-verified",
  "download:manifest-kept",
  "download:payload-kept",
  "download:planned",
  "download:object-arrived",
  "download:object-in-store",
  "patch:here",
  "patch:file-made",
  "patch:applied",
  "patch:synced",
  "patch:list-kept",
  "download:before-sync",
  "download:synced",
  "download:finished",
  "install:recorded",
  "install:verified",
  "install:staging-made",
  "install:tree-made",
  "install:tree-synced",
  "install:tree-renamed",
  "install:staged",
  "park:done",
  "park:taken-up",
  "commit:recorded",
  "switch:link-made",
  "switch:renamed",
  "switch:durable",
  "commit:switched",
  "commit:service-restarted",
  "commit:healthy",
  "commit:before-history",
  "commit:recorded-installed",
  "rollback:recorded",
  "rollback:switched",
  "rollback:service-restarted",
  "rollback:before-history",
  "rollback:recorded-undone",
  "uninstall:recorded",
  "uninstall:link-removed",
  "uninstall:before-history",
  "uninstall:recorded-uninstalled",
  "verify:recorded",
  "verify:inspected",
  "verify:content-here",
  "verify:entry-mended",
  "verify:synced",
  "verify:before-history",
  "verify:recorded-verified",
  "tidy:version-removed",
  "tidy:finished",
  "recover:started",
  "recover:tidied",
] as const;

export type KillPoint = (typeof KILL_POINTS)[number];

const [wantedTag, wantedPass = "1"] = (process.env.UPBEAT_KILL_AT ?? "").split("#");
let passes = 0;

export function killPoint(tag: KillPoint): void {
  if (tag !== wantedTag) return;
  passes += 1;
  if (passes === Number(wantedPass)) process.kill(process.pid, "SIGKILL");
}
