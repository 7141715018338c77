/**
 * What an authoritative server of a few names answers, as a pure function: a message in, a message out. Each name is a zone of its
 * own, as a parent zone delegates it: texts, SOA and NS at its top, and nothing below. It asks nobody else.
 */
import { Buffer } from "node:buffer";
import {
  CLASS,
  encodeMessage,
  encodeName,
  encodeRecord,
  encodeText,
  FLAG,
  foldName,
  HEADER_BYTES,
  isWithin,
  type Message,
  OPCODE,
  parseMessage,
  type Question,
  RCODE,
  TYPE,
  type WireRecord,
} from "./dns-message.ts";

/** What a resolver may keep, in seconds: also the news that there is nothing. */
const TTL_S = 60;

/** For name servers and the like, which stay what they are: in seconds. */
const LONG_TTL_S = 3600;

/** Refresh, retry and expire of an SOA record, in seconds: for secondary servers, of which there are none. */
const SOA_TIMES = [3600, 600, 86_400];

/** Most bytes over UDP without EDNS (RFC 1035 section 2.3.4), and with it: what crosses every link in one piece. */
const PLAIN_BYTES = 512, UDP_BYTES = 1232;

/** The bit of an EDNS record that asks for signatures; an answer repeats it (RFC 3225 section 3). */
const DO = 0x8000;

/** The response code of an EDNS version that nobody has made yet, above the four bits of the header (RFC 6891 section 9). */
const BADVERS = 1;

/** What there is to tell. */
export interface Zones {
  /** Texts of each name, in lower case and without the final dot; a name without texts is there nonetheless. */
  texts: Readonly<Record<string, readonly string[]>>;
  /** The host name of this server. */
  nameServer: string;
  /** Grows with every change, up to 2³² − 1. */
  serial: number;
}

/** @returns undefined for what is no question: to answer noise, or an answer, would make two servers talk for ever */
export function answerQuery(
  bytes: Uint8Array,
  zones: Zones,
  over: "udp" | "tcp",
): Buffer | undefined {
  const query = parseMessage(bytes);
  if (query === undefined || (query.flags & FLAG.QR) !== 0) return undefined;
  const reply = createReply(bytes, query, over);
  const { opcode, questions, answers, authorities, additionals } = query;
  if (opcode !== OPCODE.QUERY) return reply(RCODE.NOTIMP);
  const [question] = questions;
  if (question === undefined || questions.length > 1) return reply(RCODE.FORMERR);
  const options = additionals.filter(({ type }) => type === TYPE.OPT);
  if (options.length > 1) return reply(RCODE.FORMERR);
  if (options[0] !== undefined && ednsVersion(options[0]) !== 0) return reply(RCODE.NOERROR);

  const name = foldName(question.name);
  const zone = Object.keys(zones.texts).find((zone) => isWithin(name, zone));
  const transfer = question.type === TYPE.AXFR || question.type === TYPE.IXFR;
  if (zone === undefined || question.class !== CLASS.IN || transfer) return reply(RCODE.REFUSED);
  // Nothing that a question brings along means anything here.
  if (answers.length + authorities.length > 0) return reply(RCODE.FORMERR);

  const found = name === zone ? records(question, zone, zones) : [];
  if (found.length > 0) return reply(RCODE.NOERROR, found);
  // RFC 2308 section 2: whose "no" it is, and for how long.
  const rcode = name === zone ? RCODE.NOERROR : RCODE.NXDOMAIN;
  return reply(rcode, [], [soa(topOf(question, zone), TTL_S, zones)]);
}

/** The same for a sender who asks too much: the little that sends an honest one to TCP, where nobody can ask in its name. */
export function answerBriefly(bytes: Uint8Array): Buffer | undefined {
  const query = parseMessage(bytes);
  if (query === undefined || (query.flags & FLAG.QR) !== 0) return undefined;
  return createReply(bytes, query, "udp")(RCODE.NOERROR, [], [], true);
}

function records(question: Question, zone: string, zones: Zones): Buffer[] {
  const owner = topOf(question, zone);
  switch (question.type) {
    case TYPE.TXT:
    case TYPE.ANY: // RFC 8482 section 4.1: one kind of record is enough.
      return zones.texts[zone]!.map((text) => encodeRecord(owner, txt(TTL_S, encodeText(text))));
    case TYPE.SOA:
      return [soa(owner, LONG_TTL_S, zones)];
    case TYPE.NS: {
      const data = encodeName(zones.nameServer);
      return [encodeRecord(owner, { type: TYPE.NS, class: CLASS.IN, ttl: LONG_TTL_S, data })];
    }
    default:
      return [];
  }
}

function txt(ttl: number, data: Buffer) {
  return { type: TYPE.TXT, class: CLASS.IN, ttl, data };
}

function soa(owner: Buffer, ttl: number, { nameServer, serial }: Zones): Buffer {
  const numbers = Buffer.alloc(20);
  [serial, ...SOA_TIMES, TTL_S].forEach((value, n) => numbers.writeUInt32BE(value, 4 * n));
  // Who is responsible has no mailbox that this program would know of (RFC 6303 section 3).
  const data = Buffer.concat([encodeName(nameServer), encodeName("nobody.invalid"), numbers]);
  return encodeRecord(owner, { type: TYPE.SOA, class: CLASS.IN, ttl, data });
}

/** The zone's name as a pointer into the question: short, and in the case in which it was asked for. */
function topOf(question: Question, zone: string): Buffer {
  const top = question.end - 4 - encodeName(zone).length;
  return Buffer.of(0xc0 | top >> 8, top);
}

type Reply = (
  rcode: number,
  answers?: Buffer[],
  authorities?: Buffer[],
  truncated?: boolean,
) => Buffer;

function createReply(bytes: Uint8Array, query: Message, over: "udp" | "tcp"): Reply {
  const [question] = query.questions;
  // As it came, letter by letter: some resolvers write names in a random case, and want it back (a forger would have to guess it).
  const asked = question && query.questions.length === 1
    ? [Buffer.from(bytes.subarray(HEADER_BYTES, question.end))]
    : [];
  const option = query.additionals.find(({ type }) => type === TYPE.OPT);
  const room = over === "tcp"
    ? 0xffff
    : Math.min(UDP_BYTES, Math.max(PLAIN_BYTES, option?.class ?? 0));
  return (rcode, answers = [], authorities = [], truncated = false) => {
    const sure = rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN;
    const unknownVersion = option !== undefined && ednsVersion(option) !== 0;
    const kept = query.flags & (FLAG.RD | 0x7800);
    const flags = FLAG.QR | kept | rcode |
      (sure && !unknownVersion ? FLAG.AA : 0) | (truncated ? FLAG.TC : 0);
    const edns = option === undefined ? [] : [encodeRecord(Buffer.of(0), {
      type: TYPE.OPT,
      class: UDP_BYTES,
      ttl: ((unknownVersion ? BADVERS : 0) << 24 | option.ttl & DO) >>> 0,
    })];
    const message = encodeMessage(query.id, flags, [asked, answers, authorities, edns]);
    if (message.length <= room) return message;
    return encodeMessage(query.id, flags | FLAG.TC, [asked, [], [], edns]);
  };
}

/** An EDNS record's version stands where other records have their TTL (RFC 6891 section 6.1.3). */
function ednsVersion({ ttl }: WireRecord): number {
  return ttl >> 16 & 0xff;
}
