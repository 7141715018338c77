/** A name server on loopback that takes updates, and lies about them on request: what knows the key, and what only pretends to. */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import {
  CLASS,
  encodeMessage,
  encodeName,
  encodeQuestion,
  encodeRecord,
  encodeText,
  FLAG,
  type Message,
  OPCODE,
  parseMessage,
  RCODE,
  TYPE,
} from "../../src/name/dns-message.ts";
import { signMessage, type TsigKey } from "../../src/name/tsig.ts";
import { freePort } from "./port.ts";

/** How an answer to an update is signed; none of it but "well" proves that it comes from the server. */
export type Lie =
  | "well"
  | "not at all"
  | "with another secret"
  | "for another request"
  | "yesterday"
  | "then changed"
  | "then followed by more"
  | "in the wrong place"
  | "with half a signature";

export interface UpdateServerOptions {
  key: TsigKey;
  zone: string;
  /** Texts that it tells of every name; an update changes nothing. */
  texts?: string[];
  lie?: Lie;
  /** Over UDP, the answer that is signed well comes after the other, in milliseconds. Default: it never comes. */
  truthAfter?: number;
  /** Says this to every update. Default: NOERROR. */
  rcode?: number;
  /** Answers questions as a resolver does: without the flag of authority. */
  resolver?: boolean;
  /** Hears, and says nothing. */
  silent?: "to updates" | "to all";
  /** Whether it also listens on TCP. Default: true. */
  tcp?: boolean;
}

export interface LyingServer extends AsyncDisposable {
  readonly port: number;
  /** Updates that came: `tcp` or `udp`, with what each wanted. */
  readonly updates: { way: string; update: Message }[];
  /** How many messages it heard, and said nothing to. */
  readonly unanswered: number;
}

export async function createUpdateServer(options: UpdateServerOptions): Promise<LyingServer> {
  const { key, zone, texts = [], lie = "well", truthAfter, rcode = 0, silent } = options;
  const updates: LyingServer["updates"] = [];
  let unanswered = 0;
  const port = await freePort();

  function answers(bytes: Buffer, way: string): Buffer[] {
    const query = parseMessage(bytes);
    const [question] = query?.questions ?? [];
    if (query === undefined || question === undefined) return [];
    if (silent === "to all" || silent === "to updates" && query.opcode === OPCODE.UPDATE) {
      unanswered++;
      return [];
    }
    const owner = encodeName(question.name);
    const asked = encodeQuestion(owner, question.type);
    if (query.opcode === OPCODE.QUERY) {
      const records = question.type === TYPE.SOA
        ? []
        : texts.map((text) =>
          encodeRecord(owner, { type: TYPE.TXT, class: CLASS.IN, ttl: 60, data: encodeText(text) })
        );
      const flags = FLAG.QR | (options.resolver ? 0 : FLAG.AA);
      return [encodeMessage(query.id, flags, [[asked], records, [soa(zone)], []])];
    }
    updates.push({ way, update: query });
    const flags = FLAG.QR | OPCODE.UPDATE << 11 | rcode;
    const plain = encodeMessage(query.id, flags, [[asked], [], [], []]);
    const mac = macOf(query);
    const told = sign(plain, key, lie, mac);
    return truthAfter === undefined ? [told] : [told, sign(plain, key, "well", mac)];
  }

  const udp = createSocket("udp4");
  const timers = new Set<ReturnType<typeof setTimeout>>();
  udp.on("message", (bytes, from) => {
    const [first, truth] = answers(bytes, "udp");
    if (first !== undefined) udp.send(first, from.port, from.address);
    if (truth === undefined) return;
    timers.add(setTimeout(() => udp.send(truth, from.port, from.address), truthAfter));
  });
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()); // whoever asks may hang up at any time
    let bytes: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE()) return;
      const [answer] = answers(bytes.subarray(2), "tcp");
      if (answer !== undefined) {
        socket.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length), answer]));
      }
    });
  });
  if (options.tcp ?? true) {
    await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve));
  }
  return {
    port,
    updates,
    get unanswered() {
      return unanswered;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      udp.close();
      if (tcp.listening) await new Promise((resolve) => tcp.close(resolve));
    },
  };
}

function soa(zone: string): Buffer {
  const data = Buffer.concat([encodeName(`ns.${zone}`), encodeName(zone), Buffer.alloc(20)]);
  return encodeRecord(encodeName(zone), { type: TYPE.SOA, class: CLASS.IN, ttl: 60, data });
}

/** The signature of a request, from behind the algorithm's name (hmac-sha256), time and fudge. */
function macOf(query: Message): Buffer {
  const { data } = query.additionals.at(-1)!;
  const at = encodeName("hmac-sha256").length + 8;
  return data.subarray(at + 2, at + 2 + data.readUInt16BE(at));
}

function sign(plain: Buffer, key: TsigKey, lie: Lie, request: Buffer): Buffer {
  const now = Date.now();
  const well = signMessage(plain, key, { now, request }).message;
  switch (lie) {
    case "well":
      return well;
    case "not at all":
      return plain;
    case "with another secret":
      return signMessage(plain, { ...key, secret: Buffer.alloc(32, 7) }, { now, request }).message;
    case "for another request":
      return signMessage(plain, key, { now, request: Buffer.alloc(32, 7) }).message;
    case "yesterday":
      return signMessage(plain, key, { now: now - 86_400_000, request }).message;
    case "then changed": {
      // REFUSED becomes NOERROR.
      const no = Buffer.from(plain);
      no[3] = no[3]! & 0xf0 | RCODE.REFUSED;
      const signed = signMessage(no, key, { now, request }).message;
      signed[3] = signed[3]! & 0xf0;
      return signed;
    }
    case "then followed by more": {
      const more = Buffer.concat([well, soa("example.org")]);
      more.writeUInt16BE(2, 10);
      return more;
    }
    case "in the wrong place": {
      const moved = Buffer.from(well);
      moved.writeUInt16BE(1, 6);
      moved.writeUInt16BE(0, 10);
      return moved;
    }
    case "with half a signature": {
      // RFC 8945 section 5.2.2.1 lets it be cut; a server that has agreed to that is none of ours.
      const at = plain.length + encodeName(key.name).length + 10 +
        encodeName("hmac-sha256").length + 8;
      const cut = Buffer.concat([well.subarray(0, at + 2 + 16), well.subarray(at + 2 + 32)]);
      cut.writeUInt16BE(16, at);
      const length = plain.length + encodeName(key.name).length + 8;
      cut.writeUInt16BE(cut.readUInt16BE(length) - 16, length);
      return cut;
    }
  }
}
