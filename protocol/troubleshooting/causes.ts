/**
 * Every root cause that the troubleshooter can name, listed once, the most fundamental first: that
 * is the order in which findings are shown and repaired.
 *
 * `leadsTo` says what else is then found: a wrong clock makes certificates and metadata look
 * expired, and that makes checks fail. Such findings are one finding with its root
 * (`core/rootCauses.ts`). `explains` lists the error codes that people meet because of it.
 */
import type { ErrorCode } from "../errors/catalogue.ts";

export const SEVERITIES = [
  /** Updates do not work, or soon will not. */
  "problem",
  /** Updates work, worse than they could. */
  "warning",
  /** Nothing is broken: why something is as it is. */
  "note",
] as const;

interface CauseRow {
  readonly severity: (typeof SEVERITIES)[number];
  /** One sentence without a full stop. */
  readonly title: string;
  /** What a person does when it cannot be repaired by itself; names the command. */
  readonly remedy: string;
  readonly leadsTo: readonly string[];
  readonly explains: readonly ErrorCode[];
}

/** What a service that cannot work leads to. */
const SERVICE_AWAY = ["update-stuck", "timer-broken", "reports-stuck", "checks-fail"] as const;
/** What a state folder that cannot be used leads to. */
const STATE_UNUSABLE = [
  "service-crash-looping",
  "service-stopped",
  "service-waits",
  "service-hung",
  ...SERVICE_AWAY,
] as const;
/** What a server that cannot be reached leads to. */
const SERVER_AWAY = ["checks-fail", "reports-stuck", "update-stuck"] as const;
const CERTIFICATES = [
  "certificate-expired",
  "certificate-not-yet-valid",
  "certificate-unknown",
  "certificate-wrong-name",
] as const;
const UNREACHABLE = ["UPB-FETCH-UNREACHABLE", "UPB-FETCH-TIMED-OUT"] as const;

export const CAUSES = {
  "disk-failing": {
    severity: "problem",
    title: "A disk that holds Upbeat's files reports errors",
    remedy:
      "Back up what matters and replace the disk; `journalctl -k` and `smartctl -a` say which one",
    leadsTo: ["read-only-mount", "state-damaged", "payload-damaged", ...STATE_UNUSABLE],
    explains: ["UPB-INSTALL-SYNC", "UPB-STATE-DAMAGED"],
  },
  "read-only-mount": {
    severity: "problem",
    title: "A file system that Upbeat writes to is mounted read-only",
    remedy:
      "Look for the reason with `journalctl -k`, then mount it writable: `mount -o remount,rw PATH`",
    leadsTo: ["disk-full", "payload-damaged", ...STATE_UNUSABLE],
    explains: ["UPB-STATE-UNWRITABLE", "UPB-SERVICE-STATE-FOLDER", "UPB-TRUST-STORE-UNWRITABLE"],
  },
  "disk-full": {
    severity: "problem",
    title: "A file system that Upbeat writes to is full",
    remedy: "Free space: the largest things that can safely go are listed above",
    leadsTo: STATE_UNUSABLE,
    explains: [
      "UPB-DOWNLOAD-NO-SPACE",
      "UPB-DOWNLOAD-DISK-FULL",
      "UPB-INSTALL-DISK-FULL",
      "UPB-TRUST-STORE-FULL",
      "UPB-STATE-UNWRITABLE",
    ],
  },
  "inodes-full": {
    severity: "problem",
    title: "A file system that Upbeat writes to can hold no more files",
    remedy: "Remove folders with very many small files; `du --inodes -x PATH | sort -n` finds them",
    leadsTo: STATE_UNUSABLE,
    explains: ["UPB-DOWNLOAD-DISK-FULL", "UPB-INSTALL-DISK-FULL", "UPB-STATE-UNWRITABLE"],
  },
  "clock-wrong": {
    severity: "problem",
    title: "The clock of this machine is wrong",
    remedy: 'Set it: `timedatectl set-ntp true`, or `date -s "2026-01-31 12:00 UTC"` by hand',
    leadsTo: [...CERTIFICATES, "metadata-expired", "timer-broken", "checks-fail"],
    explains: ["UPB-TRUST-CLOCK", "UPB-TRUST-EXPIRED", "UPB-FETCH-UNREACHABLE"],
  },
  "out-of-memory": {
    severity: "problem",
    title: "The system ran out of memory and ended a service of Upbeat",
    remedy: "Free memory or add some; `journalctl -k --grep 'Out of memory'` names what used it",
    leadsTo: ["service-crash-looping", "service-waits", "service-stopped", "update-stuck"],
    explains: ["UPB-DOWNLOAD-NO-DOWNLOADER", "UPB-LOCAL-NOT-RUNNING"],
  },
  "not-enrolled": {
    severity: "problem",
    title: "This machine is not enrolled at a server",
    remedy: "Make a token with `upbeat devices token` and enrol with `upbeat device enrol`",
    leadsTo: ["checks-fail"],
    explains: ["UPB-DEVICE-NOT-ENROLLED", "UPB-CONFIG-INVALID"],
  },
  "config-damaged": {
    severity: "problem",
    title: "The configuration of this machine cannot be read",
    remedy: "Enrol this machine again with `upbeat device enrol`; its history stays",
    leadsTo: ["not-enrolled", "checks-fail", "reports-stuck"],
    explains: ["UPB-DEVICE-CONFIG", "UPB-CONFIG-INVALID"],
  },
  "trusted-root-damaged": {
    severity: "problem",
    title: "The file that says whose signatures count is missing or damaged",
    remedy: "Enrol this machine again with `upbeat device enrol --token TOKEN` and a new token",
    leadsTo: ["trust-cache-damaged", "metadata-refused", "wrong-server", "checks-fail"],
    explains: ["UPB-TRUST-ROOT", "UPB-CONFIG-INVALID"],
  },
  "agent-files-changed": {
    severity: "problem",
    title: "Files of Upbeat itself were changed or are missing",
    remedy: "Install Upbeat again: `apt-get install --reinstall upbeat`",
    leadsTo: ["manager-stopped", ...STATE_UNUSABLE],
    explains: ["UPB-INTERNAL-BUG"],
  },
  "permissions-changed": {
    severity: "problem",
    title: "Owner or permissions of Upbeat's files were changed",
    remedy: "Give them back what is listed above with `chown` and `chmod`",
    leadsTo: STATE_UNUSABLE,
    explains: ["UPB-STATE-UNWRITABLE", "UPB-SERVICE-STATE-FOLDER", "UPB-LOCAL-NOT-RUNNING"],
  },
  "state-locked": {
    severity: "problem",
    title: "Another program holds Upbeat's state",
    remedy: "End the program that is named above, or wait until it is done",
    leadsTo: STATE_UNUSABLE,
    explains: ["UPB-SERVICE-ALREADY-RUNNING", "UPB-STATE-UNWRITABLE", "UPB-LOCAL-TIMEOUT"],
  },
  "state-wrong-schema": {
    severity: "problem",
    title: "Upbeat's state was written by another version",
    remedy: "Update Upbeat, or set the state aside: `upbeat troubleshoot --fix` does and keeps it",
    leadsTo: STATE_UNUSABLE,
    explains: ["UPB-STATE-UNWRITABLE", "UPB-SERVICE-STATE-FOLDER"],
  },
  "state-damaged": {
    severity: "problem",
    title: "Upbeat's state is damaged",
    remedy: "Restart the services: it is rebuilt, and the history comes back from its second copy",
    leadsTo: STATE_UNUSABLE,
    explains: ["UPB-STATE-DAMAGED", "UPB-STATE-UNWRITABLE"],
  },
  "manager-stopped": {
    severity: "problem",
    title: "The service manager does not run",
    remedy: "Start it with `upbeat device run`, or `systemctl start upbeat` where systemd runs",
    leadsTo: ["service-stopped", ...SERVICE_AWAY],
    explains: ["UPB-LOCAL-NOT-RUNNING"],
  },
  "service-disabled": {
    severity: "problem",
    title: "A service was disabled",
    remedy: "Allow it again with `upbeat services enable`",
    leadsTo: ["service-stopped", ...SERVICE_AWAY],
    explains: ["UPB-SERVICE-DISABLED", "UPB-LOCAL-NOT-RUNNING"],
  },
  "service-crash-looping": {
    severity: "problem",
    title: "A service crashed again and again and is not restarted any more",
    remedy: "Read its last words above, then start it with `upbeat services start`",
    leadsTo: ["service-stopped", ...SERVICE_AWAY],
    explains: ["UPB-LOCAL-NOT-RUNNING"],
  },
  "service-hung": {
    severity: "problem",
    title: "A service runs and does not answer",
    remedy: "Restart it with `upbeat services restart`",
    leadsTo: SERVICE_AWAY,
    explains: ["UPB-LOCAL-TIMEOUT"],
  },
  "service-waits": {
    severity: "problem",
    title: "A service crashed and waits to be restarted",
    remedy: "Wait, or start it now with `upbeat services start`",
    leadsTo: SERVICE_AWAY,
    explains: ["UPB-LOCAL-NOT-RUNNING"],
  },
  "service-stopped": {
    severity: "problem",
    title: "A service is stopped",
    remedy: "Start it with `upbeat services start`",
    leadsTo: SERVICE_AWAY,
    explains: ["UPB-LOCAL-NOT-RUNNING"],
  },
  offline: {
    severity: "problem",
    title: "This machine has no network",
    remedy: "Connect it; `ip address` and `ip route` show what it has",
    leadsTo: ["name-not-resolved", "server-unreachable", "proxy-unreachable", ...SERVER_AWAY],
    explains: UNREACHABLE,
  },
  "name-overridden": {
    severity: "problem",
    title: "The hosts file of this machine sends the server's name elsewhere",
    remedy: "Remove the line that is named above from /etc/hosts",
    leadsTo: [
      "server-unreachable",
      "server-refuses",
      "wrong-server",
      "metadata-refused",
      ...CERTIFICATES,
      ...SERVER_AWAY,
    ],
    explains: UNREACHABLE,
  },
  "name-not-resolved": {
    severity: "problem",
    title: "The name of the server cannot be resolved",
    remedy: "Correct the name servers (`resolvectl status` or /etc/resolv.conf) or the address",
    leadsTo: ["server-unreachable", ...SERVER_AWAY],
    explains: UNREACHABLE,
  },
  "proxy-unreachable": {
    severity: "problem",
    title: "The proxy cannot be reached",
    remedy: "Correct HTTP_PROXY or HTTPS_PROXY of the services, or start the proxy",
    leadsTo: ["server-unreachable", ...SERVER_AWAY],
    explains: UNREACHABLE,
  },
  "proxy-wants-login": {
    severity: "problem",
    title: "The proxy wants a login",
    remedy:
      "Put a name and a password into the proxy's address, or exempt the server from the proxy",
    leadsTo: ["server-refuses", "server-unreachable", ...SERVER_AWAY],
    explains: ["UPB-FETCH-REFUSED", "UPB-FETCH-UNREACHABLE"],
  },
  "captive-portal": {
    severity: "problem",
    title: "The network answers in the server's place, with a sign-in page",
    remedy: "Open a browser on this machine and sign in to the network",
    leadsTo: [
      "server-refuses",
      "metadata-refused",
      "wrong-server",
      ...CERTIFICATES,
      ...SERVER_AWAY,
    ],
    explains: ["UPB-FETCH-REDIRECT", "UPB-TRUST-MALFORMED", "UPB-DEVICE-BAD-ANSWER"],
  },
  "server-unreachable": {
    severity: "problem",
    title: "The server cannot be reached",
    remedy: "Start the server, open the firewall for its address, or wait",
    leadsTo: SERVER_AWAY,
    explains: UNREACHABLE,
  },
  "tls-inspected": {
    severity: "problem",
    title: "Something in the network opens the encrypted connection",
    remedy:
      "Exempt the server's address in the security appliance, or install its authority on this machine",
    leadsTo: [...CERTIFICATES, "metadata-refused", ...SERVER_AWAY],
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "tls-too-old": {
    severity: "problem",
    title: "The server or something before it speaks only an old TLS",
    remedy: "Switch TLS 1.2 or newer on at the server or at what stands before it",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "certificate-expired": {
    severity: "problem",
    title: "The server's certificate has expired",
    remedy: "Renew the certificate at the server",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "certificate-not-yet-valid": {
    severity: "problem",
    title: "The server's certificate is not valid yet",
    remedy: "Correct the server's clock or its certificate",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "certificate-unknown": {
    severity: "problem",
    title: "The server's certificate comes from an authority that this machine does not know",
    remedy:
      "Install the authority: put it into /usr/local/share/ca-certificates and run `update-ca-certificates`",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "certificate-wrong-name": {
    severity: "problem",
    title: "The server's certificate is for another name",
    remedy: "Enrol at the name that the certificate carries, or renew it with this one",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-FETCH-UNREACHABLE"],
  },
  "server-busy": {
    severity: "problem",
    title: "The server is overloaded or being maintained",
    remedy: "Wait: it is tried again by itself; tell the server's administrator if it lasts",
    leadsTo: ["metadata-refused", ...SERVER_AWAY],
    explains: ["UPB-FETCH-SERVER-BUSY", "UPB-FETCH-TOO-SLOW", "UPB-FETCH-TIMED-OUT"],
  },
  "server-refuses": {
    severity: "problem",
    title: "What answers at the server's address is no update server",
    remedy: "Compare the address with `upbeat status`; enrol again if the server has moved",
    leadsTo: ["metadata-refused", ...SERVER_AWAY],
    explains: ["UPB-FETCH-REFUSED", "UPB-FETCH-REDIRECT", "UPB-TRUST-MISSING"],
  },
  "wrong-server": {
    severity: "problem",
    title: "The server is not the one that this machine was enrolled at",
    remedy: "Correct the address in device.json, or enrol again with `upbeat device enrol`",
    leadsTo: ["metadata-refused", ...SERVER_AWAY],
    explains: ["UPB-TRUST-SIGNATURES", "UPB-ENROL-WRONG-ROOT", "UPB-TRUST-ROLLBACK"],
  },
  "metadata-expired": {
    severity: "problem",
    title: "The server's signed metadata has expired",
    remedy: "Tell the server's administrator: the server or its signer does not renew it",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-TRUST-EXPIRED"],
  },
  "metadata-rolled-back": {
    severity: "problem",
    title: "The server shows older metadata than this machine has seen",
    remedy: "Tell the server's administrator: it was set back to a backup, or somebody is lying",
    leadsTo: SERVER_AWAY,
    explains: ["UPB-TRUST-ROLLBACK"],
  },
  "metadata-refused": {
    severity: "problem",
    title: "The server's signed metadata is not what its keys signed",
    remedy:
      "Do not work around it. Tell the server's administrator what is named above, and try another network",
    leadsTo: SERVER_AWAY,
    explains: [
      "UPB-TRUST-SIGNATURES",
      "UPB-TRUST-HASH",
      "UPB-TRUST-LENGTH",
      "UPB-TRUST-MALFORMED",
      "UPB-TRUST-MIXED",
      "UPB-TRUST-MISSING",
      "UPB-TRUST-ROLE",
    ],
  },
  "trust-cache-damaged": {
    severity: "warning",
    title: "The kept copy of the signed metadata is damaged",
    remedy:
      "Remove what is named above and run `upbeat check --full`: it is fetched and verified anew",
    leadsTo: ["metadata-refused", "checks-fail"],
    explains: ["UPB-TRUST-MALFORMED", "UPB-TRUST-STORE-UNWRITABLE"],
  },
  "ranges-stripped": {
    severity: "warning",
    title: "Something between here and the server strips ranges off requests",
    remedy: "Allow the Range header through the proxy; until then broken downloads start again",
    leadsTo: [],
    explains: ["UPB-FETCH-TRUNCATED"],
  },
  "payload-damaged": {
    severity: "problem",
    title: "Downloaded files are damaged",
    remedy: "Run `upbeat download`: only what is damaged is fetched again",
    leadsTo: ["installed-files-damaged", "same-failure-again", "update-stuck"],
    explains: ["UPB-VERIFY-CONTENT", "UPB-VERIFY-MISSING", "UPB-DOWNLOAD-WRONG-CONTENT"],
  },
  "installed-files-damaged": {
    severity: "problem",
    title: "Installed files are not the ones that were installed",
    remedy: "Mend them with `upbeat verify`",
    leadsTo: ["same-failure-again", "rolled-back"],
    explains: ["UPB-VERIFY-CONTENT", "UPB-DELTA-WRONG-BASE"],
  },
  "update-stuck": {
    severity: "problem",
    title: "An update makes no progress",
    remedy: "Restart the update service with `upbeat services restart update-service`",
    leadsTo: ["reports-stuck"],
    explains: ["UPB-INSTALL-BUSY", "UPB-CHANGE-QUEUE-FULL"],
  },
  "timer-broken": {
    severity: "problem",
    title: "The next check is planned for a time that no rule allows",
    remedy: "Restart the orchestrator with `upbeat services restart orchestrator`",
    leadsTo: ["checks-fail"],
    explains: [],
  },
  "reports-stuck": {
    severity: "warning",
    title: "Reports to the server have been waiting for long",
    remedy: "Look at the server's own log for why it refuses them; nothing is lost meanwhile",
    leadsTo: [],
    explains: ["UPB-DEVICE-BAD-ANSWER"],
  },
  "same-failure-again": {
    severity: "problem",
    title: "The same update fails again and again with the same error",
    remedy: "Do what the error's remedy says, or wait for the next version; tell the publisher",
    leadsTo: [],
    explains: ["UPB-HEALTH-FAILED", "UPB-INSTALL-SERVICE-RESTART"],
  },
  "agent-too-old": {
    severity: "problem",
    title: "Updates are published that this Upbeat is too old for",
    remedy: "Update Upbeat itself: `apt-get install --only-upgrade upbeat`",
    leadsTo: ["checks-fail"],
    explains: ["UPB-MANIFEST-VERSION"],
  },
  "restart-pending": {
    severity: "warning",
    title: "An update waits for a restart of this machine",
    remedy: "Restart the machine when it suits you",
    leadsTo: ["update-stuck", "same-failure-again"],
    explains: ["UPB-INSTALL-BUSY"],
  },
  "system-restart-pending": {
    severity: "note",
    title: "The system itself waits for a restart",
    remedy: "Restart the machine when it suits you",
    leadsTo: [],
    explains: [],
  },
  "checks-fail": {
    severity: "problem",
    title: "The last check for updates failed",
    remedy: "Run `upbeat check` and do what it says",
    leadsTo: ["no-success-for-long"],
    explains: [],
  },
  "no-success-for-long": {
    severity: "problem",
    title: "No check for updates has worked for over 30 days",
    remedy: "Run `upbeat check` and do what it says",
    leadsTo: [],
    explains: [],
  },
  "rolled-back": {
    severity: "note",
    title: "An update was undone because the new version was not well",
    remedy: "Nothing to do: the version before runs; tell the publisher what the error says",
    leadsTo: [],
    explains: ["UPB-HEALTH-FAILED"],
  },
  "settings-unreadable": {
    severity: "warning",
    title: "The administrator's settings are not used as they stand",
    remedy:
      "Correct what is named above in /etc/upbeat/settings.json; `upbeat policy show` reads it",
    leadsTo: [],
    explains: ["UPB-SETTINGS-FILE"],
  },
  "settings-contradict": {
    severity: "note",
    title: "Settings are against each other",
    remedy: "Change one of them; `upbeat policy show` says who set which",
    leadsTo: [],
    explains: [],
  },
  paused: {
    severity: "note",
    title: "Updates are paused",
    remedy: "End the pause with `upbeat resume` when it is not wanted any more",
    leadsTo: [],
    explains: [],
  },
  "waits-by-design": {
    severity: "note",
    title: "An update waits, as the settings say",
    remedy: "Wait, or install it now with `upbeat install`",
    leadsTo: [],
    explains: [],
  },
  "not-offered": {
    severity: "note",
    title: "A newer version exists that is not offered here",
    remedy: "Look at the reason above; `upbeat check` evaluates it anew",
    leadsTo: [],
    explains: [],
  },
} as const satisfies Record<string, CauseRow>;

export type CauseId = keyof typeof CAUSES;
export const CAUSE_IDS = Object.keys(CAUSES) as readonly CauseId[];
