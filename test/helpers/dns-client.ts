/** Those who ask a name server: the world's own tool, and bare sockets that send whatever they like. */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import * as dns from "dns-packet";
import { localhost } from "./process.ts";
import { until } from "./until.ts";

type Server = { port: number };

/** An answer, section by section. */
export interface Told {
  status: string;
  flags: string;
  answer: string[];
  authority: string[];
  text: string;
}

/** What any DNS client in the world is told. */
export async function kdig({ port }: Server, ...words: string[]): Promise<Told> {
  const text = await localhost.run("kdig", ["@127.0.0.1", "-p", `${port}`, ...words]);
  const section = (name: string) => {
    const [, lines] = new RegExp(`^;; ${name} SECTION:\n((?:[^;\n].*\n)*)`, "m").exec(text) ?? [];
    return lines?.trim().split("\n").map((line) => line.replaceAll(/\s+/g, " ")) ?? [];
  };
  return {
    status: /status: (\w+)/.exec(text)?.[1] ?? "",
    flags: /Flags: ([^;]*);/.exec(text)?.[1] ?? "",
    answer: section("ANSWER"),
    authority: section("AUTHORITY"),
    text,
  };
}

/** Sends bytes from an address of this machine, and waits for what comes back. */
export async function sendUdp(
  { port }: Server,
  messages: Uint8Array[],
  { from = "127.0.0.1", ms = 300 }: { from?: string; ms?: number } = {},
): Promise<Buffer[]> {
  const socket = createSocket("udp4");
  const heard: Buffer[] = [];
  socket.on("message", (bytes) => heard.push(bytes));
  await new Promise<void>((resolve) => socket.bind(0, from, resolve));
  for (const [n, message] of messages.entries()) {
    socket.send(message, port, "127.0.0.1");
    // A socket's buffer holds some hundreds of them; what it drops would prove nothing.
    if (n % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (const end = Date.now() + ms; Date.now() < end && heard.length < messages.length;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  socket.close();
  return heard;
}

export function question(name: string, type: dns.RecordType = "TXT", id = 7): Buffer {
  return dns.encode({ type: "query", id, questions: [{ name, type }] });
}

export function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length), message]);
}

/** A connection, with what came over it. */
export interface Wire {
  socket: Socket;
  heard: Buffer;
  closed: boolean;
}

export async function dial({ port }: Server): Promise<Wire> {
  const socket: Socket = connect({ host: "127.0.0.1", port });
  const told: Wire = { socket, heard: Buffer.alloc(0), closed: false };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => told.heard = Buffer.concat([told.heard, chunk]));
  socket.on("close", () => told.closed = true);
  await until("connected", () => !socket.connecting);
  return told;
}
