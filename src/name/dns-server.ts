/**
 * An authoritative name server for a site's own names, for a publisher who has none: the parent zone hands them over with two
 * lines (`delegation`), and the node answers from what it knows at that moment.
 */
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { type AddressInfo, createServer, isIP, isIPv6, type Server, type Socket } from "node:net";
import { NethoodError, systemCode } from "../errors.ts";
import { answerBriefly, answerQuery, type Zones } from "./dns-answer.ts";
import { DnsLimit } from "./dns-limit.ts";
import { foldName, isName } from "./dns-message.ts";

const DNS_PORT = 53;

/** Most bytes of a question over TCP: names are short, and nothing else is looked at. */
const MAX_QUERY = 4096;

/** Most connections at once, in all and from one address, and how long one may be silent, in milliseconds (RFC 7766 section 6.2.3). */
const MAX_CONNECTIONS = 100, MAX_EACH = 10, IDLE_MS = 10_000;

/** Bytes of answers that a client may leave unread before it is hung up on. */
const MAX_UNREAD = 256 * 1024;

/** How long a resolver may rely on who the name server is, in seconds. */
const DELEGATION_TTL_S = 3600;

export interface DnsServerOptions {
  /** `ADDRESS[:PORT]`, such as `0.0.0.0:53` or `[::]:53`. Port 0 takes any free one; default: 53. */
  listen: string;
  /** The site, such as `docs.example.org`: what its name server is called follows from it. */
  site: string;
  /** The texts of every name that is answered for, at this moment. Called for every question. */
  texts: () => Readonly<Record<string, readonly string[]>>;
  /** What is worth a line in a log: a question that could not be answered by a fault of ours. */
  log?: (line: string) => void;
  /** Default: `Date.now`, for serial numbers. */
  now?: () => number;
}

export interface DnsServer extends AsyncDisposable {
  /** `ADDRESS:PORT`, for UDP and TCP. */
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** The name that a site's own name server goes by. In the parent zone, so that nobody has to ask it where it is. */
export function nameServerOf(site: string): string {
  return `nethood-ns.${foldName(site)}`;
}

/**
 * The lines for the parent zone that hand a site's names over to this server, in zone-file form.
 *
 * @param names such as `_dnslink.docs.example.org`
 * @param address where the world reaches it; undefined: nobody here knows, and the person has to fill it in
 */
export function delegation(site: string, names: string[], address?: string): string[] {
  const server = nameServerOf(site);
  const type = address !== undefined && isIPv6(address) ? "AAAA" : "A";
  return [
    ...names.map((name) => `${foldName(name)}. ${DELEGATION_TTL_S} IN NS ${server}.`),
    `${server}. ${DELEGATION_TTL_S} IN ${type} ${address ?? "<this machine's public address>"}`,
  ];
}

/** @throws {NethoodError} BAD_OPTION, where it is no address of this machine; PORT_IN_USE */
export async function createDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { site, texts, log = () => {}, now = Date.now } = options;
  const { host, port: wanted } = parseListen(options.listen);
  const nameServer = nameServerOf(site);
  if (!isName(nameServer)) {
    throw new NethoodError(
      "BAD_OPTION",
      `The name ${site} is too long to have a name server below it.`,
      {
        hint: "Choose a shorter one.",
      },
    );
  }
  const zones = createZones(nameServer, texts, now);
  const limit = new DnsLimit();
  const answer = (work: () => Buffer | undefined): Buffer | undefined => {
    try {
      return work();
    } catch (error) {
      // One question that we cannot answer is not the end of the server, nor of the node around it.
      log(`A DNS question went without an answer: ${error}`);
    }
  };

  const tcp = createServer();
  const udp = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const stopTcp = listenTcp(tcp, (bytes) => answer(() => answerQuery(bytes, zones(), "tcp")));
  udp.on("message", (bytes, from) => {
    const verdict = limit.take(from.address, performance.now());
    if (verdict === "drop") return;
    const brief = verdict === "briefly";
    send(
      udp,
      from,
      answer(() => brief ? answerBriefly(bytes) : answerQuery(bytes, zones(), "udp")),
    );
  });
  let port: number;
  try {
    port = await bindTcp(tcp, host, wanted);
    await bindUdp(udp, host, port);
  } catch (error) {
    udp.close();
    if (tcp.listening) await stopTcp();
    throw listenError(error, host, wanted);
  }
  udp.on("error", (error) => log(`The DNS server's socket: ${error.message}`));
  tcp.on("error", (error) => log(`The DNS server's socket: ${error.message}`));

  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      udp.close();
      await stopTcp();
    })();
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return { address, port, stop, [Symbol.asyncDispose]: stop };
}

/** @throws {NethoodError} BAD_OPTION */
export function parseListen(text: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = isIPv6(text) ? text : parts?.[1] ?? parts?.[2] ?? "";
  const port = Number(isIPv6(text) ? DNS_PORT : parts?.[3] ?? DNS_PORT);
  if (isIP(host) !== 0 && port <= 0xffff) return { host, port };
  throw new NethoodError("BAD_OPTION", `"${text}" is not an address that a name server can have.`, {
    hint: "Write it as 0.0.0.0:53, [::]:53 or 203.0.113.5.",
  });
}

/** The texts with a serial number, which grows when they change: seconds since 1970 do, over restarts too. */
function createZones(
  nameServer: string,
  texts: DnsServerOptions["texts"],
  now: () => number,
): () => Zones {
  let known: string | undefined;
  let serial = 0;
  return () => {
    const current = Object.fromEntries(
      Object.entries(texts()).map(([name, texts]) => [foldName(name), texts]),
    );
    const shown = JSON.stringify(current);
    if (shown !== known) serial = Math.max(serial + 1, Math.floor(now() / 1000));
    known = shown;
    return { texts: current, nameServer, serial };
  };
}

function send(udp: UdpSocket, from: RemoteInfo, answer: Buffer | undefined): void {
  // Whether it arrives is nobody's to know: whoever asked asks again.
  if (answer !== undefined) udp.send(answer, from.port, from.address, () => {});
}

/** Every message is preceded by its length in two bytes; a connection may carry several (RFC 7766 section 6.2.1). */
function listenTcp(tcp: Server, answer: (bytes: Buffer) => Buffer | undefined) {
  const sockets = new Map<Socket, string>();
  tcp.on("connection", (socket) => {
    const from = socket.remoteAddress ?? "";
    const each = [...sockets.values()].filter((address) => address === from).length;
    socket.on("error", () => socket.destroy()); // Whoever asks may hang up at any time.
    if (sockets.size >= MAX_CONNECTIONS || each >= MAX_EACH) return void socket.destroy();
    sockets.set(socket, from);
    socket.on("close", () => sockets.delete(socket));
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    let bytes: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 2) {
        const length = bytes.readUInt16BE();
        if (length > MAX_QUERY || socket.writableLength > MAX_UNREAD) return void socket.destroy();
        if (bytes.length < 2 + length) return;
        const message = answer(bytes.subarray(2, 2 + length));
        bytes = bytes.subarray(2 + length);
        if (message === undefined) return void socket.destroy();
        socket.write(Buffer.concat([Buffer.of(message.length >> 8, message.length), message]));
      }
    });
  });
  return async () => {
    const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
    for (const socket of sockets.keys()) socket.destroy();
    await closed;
  };
}

async function bindTcp(tcp: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, host, () => resolve(void tcp.off("error", reject)));
  });
  return (tcp.address() as AddressInfo).port;
}

async function bindUdp(udp: UdpSocket, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(port, host, () => resolve(void udp.off("error", reject)));
  });
}

function listenError(cause: unknown, host: string, port: number): NethoodError {
  switch (systemCode(cause)) {
    case "EADDRINUSE":
      return new NethoodError(
        "PORT_IN_USE",
        `Port ${port} of ${host} is in use by another DNS server.`,
        {
          cause,
          hint: "The system's own often has 127.0.0.53: name this machine's public address.",
        },
      );
    case "EACCES":
    case "EPERM":
      return new NethoodError("BAD_OPTION", `Port ${port} is kept for the system.`, {
        cause,
        hint: "Let the program have it: sysctl net.ipv4.ip_unprivileged_port_start=53.",
      });
  }
  return new NethoodError("BAD_OPTION", `A name server cannot listen on ${host}, port ${port}.`, {
    cause,
    hint: "Use an address of this machine, or 0.0.0.0 for all of them.",
  });
}
