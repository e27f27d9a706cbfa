/** A real name server on UDP (RFC 1035, 4.1): answers A questions from a map, everything else with NXDOMAIN. */
import { createSocket } from "node:dgram";

export interface NameServer {
  /** Name → address; change it at will. */
  readonly names: Map<string, string>;
  /** What it does with the next questions. */
  behaviour: "answer" | "silent";
  close(): Promise<void>;
}

export async function startNameServer(address: string): Promise<NameServer> {
  const socket = createSocket("udp4");
  const server: NameServer = {
    names: new Map(),
    behaviour: "answer",
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
  socket.on("message", (question, { port, address: from }) => {
    if (server.behaviour === "silent") return;
    const { name, type, end } = readQuestion(question);
    const found = server.names.get(name);
    socket.send(answer(question.subarray(0, end), found, type), port, from);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(53, address, resolve);
  });
  return server;
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let size = message[at] ?? 0; size > 0; size = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + size));
    at += size + 1;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

const TYPE_A = 1;

function answer(question: Buffer, address: string | undefined, type: number): Buffer {
  const head = Buffer.from(question);
  const has = address !== undefined && type === TYPE_A;
  head.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2); // response; NXDOMAIN or no error
  head.writeUInt16BE(has ? 1 : 0, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  if (!has) return head;
  const record = Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
  return Buffer.concat([head, record, Buffer.from(address.split(".").map(Number))]);
}
