/**
 * A disk in memory behind the NBD protocol (newstyle fixed, simple replies), that keeps a log of every
 * write and flush. https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 *
 * One client, one connection: several would need flushes across connections.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { LogEntry } from "./diskLog.ts";

const OPTION_MAGIC = 0x49484156454f5054n; // "IHAVEOPT"
const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const SIMPLE_REPLY_MAGIC = 0x67446698;

const HANDSHAKE_FLAGS = 0b11; // fixed newstyle, no zeroes
const TRANSMISSION_FLAGS = 0b1101; // has flags, sends flush, sends FUA

const OPTION = { exportName: 1, abort: 2, info: 6, go: 7 };
const REPLY = { ack: 1, info: 3, unsupported: 0x80000001 };
const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4 };
const COMMAND_FUA = 1;
const ERROR = { none: 0, invalid: 22, notSupported: 95 };

export function nbdServer(disk: Uint8Array, log: LogEntry[]): Server {
  return createServer((socket) => {
    serve(socket, disk, log).catch(() => socket.destroy()); // a client that went away
  });
}

async function serve(socket: Socket, disk: Uint8Array, log: LogEntry[]): Promise<void> {
  const take = reader(socket);
  if (!(await handshake(socket, take, disk.length))) return;
  for (;;) {
    const request = await take(28);
    if (request.readUInt32BE(0) !== REQUEST_MAGIC) throw new Error("not an NBD request");
    const flags = request.readUInt16BE(4);
    const command = request.readUInt16BE(6);
    const cookie = request.subarray(8, 16);
    const offset = Number(request.readBigUInt64BE(16));
    const length = request.readUInt32BE(24);
    const inside = offset + length <= disk.length;
    if (command === COMMAND.disconnect) {
      socket.end();
      return;
    }
    if (command === COMMAND.write) {
      const bytes = Uint8Array.from(await take(length));
      if (inside) {
        disk.set(bytes, offset);
        log.push({ kind: "write", offset, bytes, fua: (flags & COMMAND_FUA) !== 0 });
      }
      reply(socket, cookie, inside ? ERROR.none : ERROR.invalid);
    } else if (command === COMMAND.read) {
      reply(socket, cookie, inside ? ERROR.none : ERROR.invalid);
      if (inside) socket.write(disk.slice(offset, offset + length));
    } else if (command === COMMAND.flush) {
      log.push({ kind: "flush" });
      reply(socket, cookie, ERROR.none);
    } else {
      // Trim may be ignored; nothing else was announced.
      reply(socket, cookie, command === COMMAND.trim ? ERROR.none : ERROR.notSupported);
    }
  }
}

type Take = (length: number) => Promise<Buffer>;

/** True when transmission may begin. */
async function handshake(socket: Socket, take: Take, sizeBytes: number): Promise<boolean> {
  const hello = Buffer.alloc(18);
  hello.write("NBDMAGIC", 0, "latin1");
  hello.writeBigUInt64BE(OPTION_MAGIC, 8);
  hello.writeUInt16BE(HANDSHAKE_FLAGS, 16);
  socket.write(hello);
  await take(4); // the client's flags
  const exported = Buffer.alloc(10);
  exported.writeBigUInt64BE(BigInt(sizeBytes), 0);
  exported.writeUInt16BE(TRANSMISSION_FLAGS, 8);
  for (;;) {
    const header = await take(16);
    if (header.readBigUInt64BE(0) !== OPTION_MAGIC) throw new Error("not an NBD option");
    const option = header.readUInt32BE(8);
    await take(header.readUInt32BE(12));
    if (option === OPTION.exportName) {
      socket.write(exported);
      return true;
    }
    if (option === OPTION.go || option === OPTION.info) {
      replyOption(socket, option, REPLY.info, Buffer.concat([Buffer.alloc(2), exported]));
      replyOption(socket, option, REPLY.ack);
      if (option === OPTION.go) return true;
    } else if (option === OPTION.abort) {
      replyOption(socket, option, REPLY.ack);
      socket.end();
      return false;
    } else {
      replyOption(socket, option, REPLY.unsupported);
    }
  }
}

function replyOption(socket: Socket, option: number, type: number, data = Buffer.alloc(0)): void {
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(data.length, 16);
  socket.write(Buffer.concat([header, data]));
}

function reply(socket: Socket, cookie: Uint8Array, error: number): void {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  header.writeUInt32BE(error, 4);
  header.set(cookie, 8);
  socket.write(header);
}

/** Exactly so many bytes at a time; rejects when the stream ends before. */
function reader(socket: Socket): Take {
  let chunks: Buffer[] = [];
  let held = 0;
  let waiting: (() => void) | undefined;
  let ended = false;
  const wake = () => {
    waiting?.();
    waiting = undefined;
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    held += chunk.length;
    wake();
  });
  for (const event of ["end", "error", "close"]) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  return async (length) => {
    while (held < length) {
      if (ended) throw new Error("the client went away");
      await new Promise<void>((resolve) => {
        waiting = resolve;
      });
    }
    const all = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    chunks = all.length > length ? [all.subarray(length)] : [];
    held = all.length - length;
    return all.subarray(0, length);
  };
}
