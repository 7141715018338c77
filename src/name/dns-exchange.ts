/** One question to one DNS server: over UDP, over TCP where the answer does not fit, or over HTTPS. */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { DnsServer, HttpsServer, PlainServer } from "./dns-servers.ts";
import {
  decodeReply,
  encodeQuestion,
  type Question,
  type Reply,
  type TxtRecord,
} from "./dns-wire.ts";

const DNS_MESSAGE = "application/dns-message";

/** A DNS message cannot be longer: over TCP, its length is two bytes. */
const MAX_BYTES = 65_535;

/** A server did not answer, or not to the point; the message is what it "said", for a list of such. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * Asks one server for the TXT records of a name. None is an answer as well: the name does not exist, or has no texts.
 *
 * @param options.edns whether to announce that a long answer over UDP is welcome
 * @param options.signal ends the question and closes its sockets; the reason is thrown as it is
 * @throws {NoAnswer} where the server says something else
 * @throws {Error} a system error, where it cannot be reached
 * @throws {NethoodError} BAD_ADDRESS
 */
export async function ask(
  server: DnsServer,
  name: string,
  { edns, signal }: { edns: boolean; signal: AbortSignal },
): Promise<TxtRecord[]> {
  signal.throwIfAborted();
  // RFC 8484 section 4.1: id 0 over HTTPS, so that equal questions are equal requests. Over UDP it is what a forger has to guess.
  const id = server.kind === "https" ? 0 : crypto.getRandomValues(new Uint16Array(1))[0]!;
  const question = { name, id };
  const message = encodeQuestion(question, edns);
  let reply: Reply;
  if (server.kind === "https") {
    reply = await askHttps(server, question, message, signal);
  } else {
    const read = (bytes: Uint8Array) => decodeReply(bytes, question);
    reply = await exchangeUdp(server, message, read, signal);
    if (reply.kind === "truncated") reply = await exchangeTcp(server, message, read, signal);
  }
  if (reply.kind === "records") return reply.records;
  throw new NoAnswer(reply.kind === "failure" ? reply.said : "a truncated answer");
}

/** What reads an answer; undefined where these bytes are none to this question. What it throws ends the exchange. */
export type Read<T> = (bytes: Uint8Array) => T | undefined;

/**
 * A message and its answer over UDP; bytes that are no answer are passed over. Everyone has a new socket: its port is random too,
 * and has to be guessed as well (RFC 5452 section 9.2).
 */
export async function exchangeUdp<T>(
  { host, port }: Pick<PlainServer, "host" | "port">,
  message: Uint8Array,
  read: Read<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      socket.on("error", reject);
      socket.on("message", (bytes, from) => {
        // Connected sockets hear nobody else on Node.js, but everybody on Deno.
        const { address } = socket.remoteAddress();
        if (from.port !== port || withoutZone(from.address) !== withoutZone(address)) return;
        try {
          const reply = read(bytes);
          if (reply !== undefined) resolve(reply);
        } catch (error) {
          reject(error);
        }
      });
      socket.once("connect", () => socket.send(message, (error) => error && reject(error)));
      socket.connect(port, host);
    });
  } finally {
    socket.close();
  }
}

/** The same over TCP. Every message is preceded by its length in two bytes (RFC 1035 section 4.2.2). */
export async function exchangeTcp<T>(
  { host, port }: Pick<PlainServer, "host" | "port">,
  message: Uint8Array,
  read: Read<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const socket = connect({ host, port });
  try {
    return await new Promise<T>((resolve, reject) => {
      let bytes: Buffer = Buffer.alloc(0);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      socket.on("error", reject);
      socket.on("close", () => reject(new NoAnswer("connection closed")));
      socket.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        const end = bytes.length < 2 ? Infinity : 2 + bytes.readUInt16BE();
        if (bytes.length < end) return;
        try {
          const reply = read(bytes.subarray(2, end));
          if (reply !== undefined) resolve(reply);
          else reject(new NoAnswer("an answer to something else"));
        } catch (error) {
          reject(error);
        }
      });
      socket.once("connect", () => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(message.length);
        socket.write(Buffer.concat([length, message]));
      });
    });
  } finally {
    socket.destroy();
  }
}

async function askHttps(
  { url }: HttpsServer,
  question: Question,
  message: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": DNS_MESSAGE, accept: DNS_MESSAGE },
    body: message,
    // Questions go to the server that was named, not to wherever it points (which may be plain http).
    redirect: "manual",
    signal,
  });
  const type = response.headers.get("content-type")?.replace(/\s*;.*/s, "").toLowerCase();
  if (!response.ok || type !== DNS_MESSAGE) {
    await response.body?.cancel();
    throw new NoAnswer(
      response.ok ? `content type ${type ?? "missing"}` : `HTTP ${response.status}`,
    );
  }
  const reply = decodeReply(await readBody(response), question);
  if (reply === undefined) throw new NoAnswer("an answer to something else");
  if (reply.kind !== "records") return reply;
  // An HTTP cache on the way has used up some of the TTL (RFC 8484 section 5.1).
  const age = Number(/^\d+$/.exec(response.headers.get("age") ?? "") ?? 0);
  const records = reply.records.map(({ data, ttl }) => ({ data, ttl: Math.max(0, ttl - age) }));
  return { kind: "records", records };
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Throwing out of the loop cancels the rest of the body.
    if (size > MAX_BYTES) throw new NoAnswer("an answer over 64 KiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Link-local senders may be reported with the interface they were heard on, or without. */
function withoutZone(address: string): string {
  return address.split("%", 1)[0]!;
}
