import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readPresence } from "./presence.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "upbeat-presence-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const put = (path: string, content: string | Uint8Array): string => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
};
function record(type: number, line: string): Buffer {
  const bytes = Buffer.alloc(384);
  bytes.writeInt16LE(type, 0);
  bytes.write(line, 8);
  bytes.write("anna", 44);
  return bytes;
}

it("nobody is there where nobody is logged in", () => {
  expect(readPresence(root)).toEqual({ sessions: 0 });
});

it("who is logged in on a terminal was last there at the last input from it", () => {
  const records = [record(2, "~"), record(7, "pts/3"), record(8, "pts/4"), record(7, "tty1")];
  put("run/utmp", Buffer.concat(records));
  utimesSync(put("dev/pts/3", ""), 1_000, 5_000);
  utimesSync(put("dev/tty1", ""), 2_000, 2_000);
  expect(readPresence(root)).toEqual({ sessions: 2, lastInputMs: 2_000_000 });
});

it("a record that names no terminal is not followed", () => {
  put("run/utmp", Buffer.concat([record(7, "../etc/passwd"), record(7, ":0")]));
  expect(readPresence(root)).toEqual({ sessions: 0 });
});

it("a graphical session is in use until logind says that it is idle", () => {
  const file = "run/systemd/sessions/c2";
  put(file, "UID=1000\nACTIVE=1\nTYPE=wayland\nCLASS=user\n");
  const used = readPresence(root);
  expect(used.sessions).toBe(1);
  expect(Date.now() - (used.lastInputMs ?? 0)).toBeLessThan(60_000);
  put(
    file,
    "ACTIVE=1\nTYPE=wayland\nCLASS=user\nIDLE_HINT=1\nIDLE_HINT_REALTIME=1700000000000000\n",
  );
  expect(readPresence(root)).toEqual({ sessions: 1, lastInputMs: 1_700_000_000_000 });
});
