/**
 * A DNS server on loopback, over UDP, TCP and, where wanted, HTTP (RFC 8484): it answers from a zone that a test can change
 * at any time, writes down what it was asked, and misbehaves on request.
 */
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket as TcpSocket } from "node:net";
import * as dns from "dns-packet";

/** What a name has: texts (none: the name exists, without TXT records), or another name that it stands for. */
export type ZoneEntry = { txt: string[]; ttl: number } | { cname: string; ttl: number };

/** Whole names in lower case, without the final dot. A name that is missing does not exist (NXDOMAIN). */
export type Zone = Record<string, ZoneEntry>;

/** Ways to misbehave; all of them can be changed while the server runs. */
export interface Trouble {
  /** Says nothing at all; `"edns"`: nothing to questions that use EDNS; `"tcp"`: nothing over TCP. */
  drop?: boolean | "edns" | "tcp";
  /** Milliseconds to wait before an answer. */
  delay?: number;
  /** Sends every UDP answer cut off in the middle of a record, and marked as such; `"tcp"`: over TCP too. */
  truncate?: boolean | "tcp";
  /** Before the answer, the same with this text and a wrong id, a wrong question, no question, or from another port. */
  forge?: "id" | "name" | "type" | "empty" | "port" | "query";
  /** Answers with this response code and nothing else. */
  rcode?: number;
  /** Upper bits of the response code, as an EDNS record carries them. */
  extendedRcode?: number;
  /** Points to other name servers instead of answering. */
  refer?: boolean;
  /** Changes the answer's bytes at will. */
  garble?: (message: Buffer) => Buffer;
  /** Over TCP, this many bytes of the answer, then the end. */
  cut?: number;
  /** Over HTTP: the status, header fields and body to answer with. */
  http?: { status?: number; headers?: Record<string, string>; body?: Uint8Array };
}

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:<port>` or `[::1]:<port>`, for UDP and TCP. */
  readonly address: string;
  readonly port: number;
  /** `http://127.0.0.1:<port>/dns-query`; empty where `http` was not asked for. */
  readonly url: string;
  readonly zone: Zone;
  /** What was asked, the first first: `udp _dnslink.example.org`, `tcp …` or `http …`. */
  readonly queries: string[];
  /** Questions as they came, decoded. */
  readonly packets: dns.DecodedPacket[];
  readonly trouble: Trouble;
  stop(): Promise<void>;
}

/** The text of every forged answer. */
export const FORGED = "forged";

export async function createDnsServer(
  zone: Zone,
  options: { host?: "127.0.0.1" | "::1"; http?: boolean; trouble?: Trouble } = {},
): Promise<DnsServer> {
  const host = options.host ?? "127.0.0.1";
  const trouble: Trouble = { ...options.trouble };
  const queries: string[] = [];
  const packets: dns.DecodedPacket[] = [];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const sockets = new Set<TcpSocket>();
  const { udp, tcp, port } = await bindBoth(host);
  const forger = createSocket(udpType(host));

  udp.on("message", (message, { address, port }) => {
    const query = hear("udp", message);
    if (query === undefined) return;
    const { forge } = trouble;
    soon(() => {
      const tell = () => udp.send(answer(query, "udp"), port, address);
      if (forge === undefined) return tell();
      // The forgery has to be there first; the socket it comes from may still have to be bound.
      const by = forge === "port" ? forger : udp;
      by.send(forged(query, forge), port, address, () => soon(tell, 10));
    });
  });

  tcp.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // whoever asks may hang up at any time
    let bytes: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE()) return;
      const query = hear("tcp", bytes.subarray(2));
      if (query === undefined) return;
      soon(() => {
        const message = answer(query, "tcp");
        const framed = Buffer.concat([Buffer.of(message.length >> 8, message.length), message]);
        if (trouble.cut !== undefined) socket.end(framed.subarray(0, trouble.cut));
        else {
          // In two pieces, the first of which ends within the length: that is what TCP may do.
          socket.write(framed.subarray(0, 1));
          soon(() => socket.end(framed.subarray(1)), 5);
        }
      });
    });
  });

  let http: HttpServer | undefined;
  if (options.http) {
    http = createHttpServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const right = request.method === "POST" && request.url === "/dns-query" &&
        request.headers["content-type"] === "application/dns-message";
      if (!right) return void response.writeHead(415).end();
      const query = hear("http", Buffer.concat(chunks));
      if (query === undefined) return;
      soon(() => {
        const { status = 200, headers, body } = trouble.http ?? {};
        response.writeHead(status, { "content-type": "application/dns-message", ...headers });
        response.end(body ?? answer(query, "http"));
      });
    });
    await new Promise<void>((resolve) => http!.listen(0, host, resolve));
  }

  /** Notes a question; undefined where it is to be left without an answer. */
  function hear(transport: string, message: Buffer): dns.DecodedPacket | undefined {
    const query = dns.decode(message);
    queries.push(`${transport} ${query.questions?.[0]?.name}`);
    packets.push(query);
    const { drop } = trouble;
    const silent = drop === true || drop === transport ||
      (drop === "edns" && ednsSize(query) !== undefined);
    return silent ? undefined : query;
  }

  function soon(work: () => void, ms: number | undefined = trouble.delay): void {
    if (ms === undefined) return work();
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  }

  function answer(query: dns.DecodedPacket, transport: "udp" | "tcp" | "http"): Buffer {
    const message = encode(query, lookUp(query.questions?.[0]?.name ?? ""));
    const room = transport === "udp" ? Math.max(512, ednsSize(query) ?? 0) : 65_535;
    const { truncate } = trouble;
    if (message.length > room || truncate === "tcp" || (truncate && transport === "udp")) {
      message.writeUInt16BE(message.readUInt16BE(2) | dns.TRUNCATED_RESPONSE, 2);
      return message.subarray(0, Math.min(room, message.length - 1));
    }
    return trouble.garble?.(message) ?? message;
  }

  function lookUp(name: string): Pick<dns.Packet, "answers" | "authorities"> & { rcode: number } {
    if (trouble.rcode !== undefined) return { rcode: trouble.rcode };
    if (trouble.refer) {
      const ns = { type: "NS", name: "org", ttl: 60, data: "ns.example.net" } as const;
      return { rcode: 0, authorities: [ns] };
    }
    const answers: dns.Answer[] = [];
    let entry = zone[name.toLowerCase()];
    for (let hops = 0; entry !== undefined && "cname" in entry && hops < 20; hops++) {
      answers.push({ type: "CNAME", name, ttl: entry.ttl, data: entry.cname });
      name = entry.cname;
      entry = zone[name.toLowerCase()];
    }
    if (entry === undefined) return { rcode: NXDOMAIN, answers };
    for (const text of "txt" in entry ? entry.txt : []) {
      answers.push({ type: "TXT", name, ttl: entry.ttl, data: characterStrings(text) });
    }
    return { rcode: 0, answers };
  }

  function encode(
    query: dns.Packet,
    { rcode, ...sections }: dns.Packet & { rcode: number },
  ): Buffer {
    const edns = ednsSize(query) !== undefined || trouble.extendedRcode !== undefined;
    const additionals = edns ? [edns0(trouble.extendedRcode ?? 0)] : [];
    const { id, questions } = query;
    const flags = rcode | dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE;
    // The sections come last: a forged answer has its own id and question.
    return dns.encode({ type: "response", id, questions, flags, additionals, ...sections });
  }

  function forged(query: dns.DecodedPacket, how: NonNullable<Trouble["forge"]>): Buffer {
    const { name, type } = query.questions![0]!;
    const record = { type: "TXT", name, ttl: 60, data: FORGED } as const;
    const wrong: Record<typeof how, Partial<dns.Packet>> = {
      id: { id: (query.id! + 1) & 0xffff },
      name: { questions: [{ name: `x${name}`, type }] },
      type: { questions: [{ name, type: "A" }] },
      empty: { questions: [] },
      query: { type: "query" },
      port: {},
    };
    return encode(query, { rcode: 0, answers: [record], ...wrong[how] });
  }

  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      forger.close();
      udp.close();
      http?.closeAllConnections();
      await Promise.all([tcp, http].map((server) =>
        new Promise<void>((resolve) => server ? server.close(() => resolve()) : resolve())
      ));
    })();
  const shown = host === "::1" ? "[::1]" : host;
  return {
    address: `${shown}:${port}`,
    port,
    url: http ? `http://${shown}:${(http.address() as AddressInfo).port}/dns-query` : "",
    zone,
    queries,
    packets,
    trouble,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

const NXDOMAIN = 3;

/** One port number for UDP and TCP, as DNS has it; where the UDP one is taken by somebody else, the next try may do. */
async function bindBoth(host: string): Promise<{ udp: Socket; tcp: Server; port: number }> {
  for (let tries = 1;; tries++) {
    const tcp = createServer();
    await new Promise<void>((resolve, reject) => {
      tcp.once("error", reject).listen(0, host, resolve);
    });
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket(udpType(host));
    try {
      await new Promise<void>((resolve, reject) => {
        udp.once("error", reject).bind(port, host, resolve);
      });
      return { udp, tcp, port };
    } catch (error) {
      udp.close();
      await new Promise((resolve) => tcp.close(resolve));
      if (tries === 5) throw error;
    }
  }
}

function udpType(host: string): "udp4" | "udp6" {
  return host === "::1" ? "udp6" : "udp4";
}

/** The bytes a question has room for over UDP; undefined where it does not use EDNS. */
function ednsSize({ additionals = [] }: dns.Packet): number | undefined {
  const opt = additionals.find((record) => record.type === "OPT");
  return opt?.type === "OPT" ? opt.udpPayloadSize : undefined;
}

function edns0(extendedRcode: number): dns.Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: 1232,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** A text as character strings of at most 255 bytes (RFC 1035 section 3.3), cut wherever that is. */
function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 255) strings.push(bytes.subarray(at, at + 255));
  return strings.length > 0 ? strings : [bytes];
}
