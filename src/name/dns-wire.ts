/**
 * DNS messages as pure functions: a question for TXT records out, their texts and TTLs in (RFC 1035 section 4).
 */
import { Buffer } from "node:buffer";
import { type Answer, decode, type DecodedPacket, encode, RECURSION_DESIRED } from "dns-packet";
import { NethoodError } from "../errors.ts";

/** Longest name in its written form: RFC 1035 section 2.3.4 allows 255 bytes with the length bytes of the wire form. */
const MAX_NAME = 253;

/** Id, flags and, from the seventh byte on, the number of records in each section. */
const HEADER_BYTES = 12;

/** Bytes of an answer over UDP that cross every common link in one piece (DNS Flag Day 2020). */
const UDP_BYTES = 1232;

/** A longer TTL is taken for a mistake: a week, as RFC 8767 section 4 recommends. In seconds. */
const MAX_TTL_S = 604_800;

/** Most aliases followed from one name; whoever has more of them has a loop. */
const MAX_ALIASES = 16;

/** One TXT record. */
export interface TxtRecord {
  /** The whole text: the character strings of the record, joined. */
  data: string;
  /** How long it may be kept, in seconds, 0 to 604,800. */
  ttl: number;
}

/** What was asked; an answer has to repeat it. */
export interface Question {
  name: string;
  /** 0 to 65,535. */
  id: number;
}

/** What a server said: records (none is an answer as well), to ask over TCP instead, or why it does not answer. */
export type Reply =
  | { kind: "records"; records: TxtRecord[] }
  | { kind: "truncated" }
  | { kind: "failure"; said: string };

/** dns-packet decodes the response code, but its types leave it out. */
type Decoded = DecodedPacket & { rcode: string };

/**
 * The message that asks for the TXT records of a name.
 *
 * @param edns whether to announce that a long answer over UDP is welcome (RFC 6891)
 * @throws {NethoodError} BAD_ADDRESS, where the name does not fit into a DNS message
 */
export function encodeQuestion({ name, id }: Question, edns: boolean): Uint8Array<ArrayBuffer> {
  const labels = name.replace(/\.$/, "").split(".");
  const fits = name.length <= MAX_NAME && labels.every((label) => /^[!-~]{1,63}$/.test(label));
  if (!fits) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `"${name.slice(0, 80)}" cannot be asked for in the DNS.`,
      {
        hint: "A DNS name has at most 253 ASCII characters, and at most 63 between two dots.",
      },
    );
  }
  const message = encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type: "TXT", class: "IN", name: labels.join(".") }],
    additionals: edns ? [EDNS] : [],
  });
  return new Uint8Array(message);
}

const EDNS: Answer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: UDP_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/**
 * Reads the answer to a question. Undefined where the message is anything else: noise, or a forgery by somebody who
 * could not see the question (RFC 5452 section 9.1).
 */
export function decodeReply(message: Uint8Array, asked: Question): Reply | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < HEADER_BYTES) return undefined;
  // A truncated message may end within a record: what it answers is read first, by itself.
  const head = tryDecode(Buffer.from(bytes).fill(0, 6, HEADER_BYTES));
  if (head === undefined || !repeats(head, asked)) return undefined;
  if (head.flag_tc) return { kind: "truncated" };

  const whole = tryDecode(bytes);
  if (whole === undefined) return { kind: "failure", said: "a malformed answer" };
  const { rcode, answers = [], authorities = [], additionals = [] } = whole;
  // The upper bits of the response code (RFC 6891 section 6.1.3): without them, BADVERS reads as NOERROR.
  const extended = additionals.find((record) => record.type === "OPT")?.extendedRcode ?? 0;
  if (extended !== 0) return { kind: "failure", said: `extended response code ${extended}` };
  if (rcode === "NXDOMAIN") return { kind: "records", records: [] };
  if (rcode !== "NOERROR") return { kind: "failure", said: rcode };
  const records = texts(answers, asked.name);
  if (records.length === 0 && isReferral(whole, authorities)) {
    return { kind: "failure", said: "a referral to other servers" };
  }
  return { kind: "records", records };
}

function tryDecode(bytes: Buffer): Decoded | undefined {
  try {
    const packet = decode(bytes) as Decoded;
    // dns-packet reads records that promise more bytes than there are; its position tells.
    return decode.bytes <= bytes.length ? packet : undefined;
  } catch {
    // Anybody can send anything to a socket: what does not decode is not an error of ours, it is no DNS message.
    return undefined;
  }
}

function repeats({ type, id, questions = [] }: Decoded, asked: Question): boolean {
  const [question] = questions;
  return type === "response" && id === asked.id && questions.length === 1 &&
    question?.type === "TXT" && question.class === "IN" && fold(question.name) === fold(asked.name);
}

/** The texts of a name, through its aliases; the shortest TTL of the chain counts for all of it. */
function texts(answers: Answer[], name: string): TxtRecord[] {
  let owner = fold(name);
  let ttl = MAX_TTL_S;
  for (let aliases = 0; aliases < MAX_ALIASES; aliases++) {
    const alias = answers.find((record) =>
      record.type === "CNAME" && record.class === "IN" && fold(record.name) === owner
    );
    if (alias?.type !== "CNAME") break;
    ttl = Math.min(ttl, alias.ttl ?? 0);
    owner = fold(alias.data);
  }
  const records: TxtRecord[] = [];
  for (const record of answers) {
    if (record.type !== "TXT" || record.class !== "IN" || fold(record.name) !== owner) continue;
    // Joined as bytes: a character of several bytes may be cut where a character string ends.
    const data = Buffer.concat([record.data].flat().map((part) => Buffer.from(part))).toString();
    records.push({ data, ttl: Math.min(ttl, record.ttl ?? 0) });
  }
  return records;
}

/** Whether a server only says who else to ask: that is no answer (RFC 2308 section 2.2). */
function isReferral({ flag_aa }: Decoded, authorities: Answer[]): boolean {
  return !flag_aa && authorities.some((record) => record.type === "NS") &&
    !authorities.some((record) => record.type === "SOA");
}

/** DNS names are equal whatever their case; the final dot is the root's and goes without saying. */
function fold(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}
