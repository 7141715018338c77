/**
 * DNS messages to the byte, for updates and for answers of our own (RFC 1035 section 4). dns-packet, which reads the answers of
 * resolvers, does not tell where a record begins (a signature needs that), knows no class NONE (an update does), and makes room
 * for as many records as a stranger's header promises.
 */
import { Buffer } from "node:buffer";

export const TYPE = {
  NS: 2,
  CNAME: 5,
  SOA: 6,
  TXT: 16,
  OPT: 41,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;

export const OPCODE = { QUERY: 0, UPDATE: 5 } as const;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADTRUNC: 22,
} as const;

/** Bits of the header's second word. */
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100 } as const;

/** Id, flags and the number of entries in each of four sections. */
export const HEADER_BYTES = 12;

/** Longest name in its wire form, and longest label (RFC 1035 section 2.3.4). */
const MAX_NAME = 255, MAX_LABEL = 63;

/** Longest character string of a TXT record (RFC 1035 section 3.3). */
const MAX_STRING = 255;

export interface Question {
  /** Without the final dot, in the case it came in; the root is empty. */
  name: string;
  type: number;
  class: number;
  /** Where it ends in the message. */
  end: number;
}

export interface WireRecord {
  name: string;
  type: number;
  class: number;
  ttl: number;
  /** Where it begins in the message, and where its data does. */
  start: number;
  dataStart: number;
  data: Buffer;
}

export interface Message {
  id: number;
  /** All of the second word: opcode, flags and the response code's lower bits. */
  flags: number;
  opcode: number;
  rcode: number;
  questions: Question[];
  answers: WireRecord[];
  authorities: WireRecord[];
  additionals: WireRecord[];
}

/** Undefined where it is none: cut short, with more behind it, or with names that bite their own tail. Never throws. */
export function parseMessage(message: Uint8Array): Message | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < HEADER_BYTES) return undefined;
  const flags = bytes.readUInt16BE(2);
  let at = HEADER_BYTES;
  const questions: Question[] = [];
  for (let left = bytes.readUInt16BE(4); left > 0; left--) {
    const question = readQuestion(bytes, at);
    if (question === undefined) return undefined;
    questions.push(question);
    at = question.end;
  }
  const sections: WireRecord[][] = [];
  for (const count of [6, 8, 10]) {
    const records: WireRecord[] = [];
    for (let left = bytes.readUInt16BE(count); left > 0; left--) {
      const record = readRecord(bytes, at);
      if (record === undefined) return undefined;
      records.push(record);
      at = record.dataStart + record.data.length;
    }
    sections.push(records);
  }
  if (at !== bytes.length) return undefined;
  const [answers, authorities, additionals] = sections as [
    WireRecord[],
    WireRecord[],
    WireRecord[],
  ];
  const opcode = flags >> 11 & 0xf;
  const id = bytes.readUInt16BE(0);
  return { id, flags, opcode, rcode: flags & 0xf, questions, answers, authorities, additionals };
}

/**
 * A name at a place in a message, through its pointers. They lead backwards only (RFC 1035 section 4.1.4), so that there is no
 * loop. A byte that is no plain character stands as `\DDD` (RFC 1035 section 5.1).
 */
export function readName(bytes: Buffer, start: number): { name: string; end: number } | undefined {
  const labels: string[] = [];
  let size = 1;
  let at = start;
  let end: number | undefined;
  for (let earliest = start;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 };
    if (length <= MAX_LABEL) {
      size += 1 + length;
      if (size > MAX_NAME || at + 1 + length > bytes.length) return undefined;
      labels.push(labelText(bytes.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    } else {
      if (length < 0xc0 || at + 2 > bytes.length) return undefined;
      const pointer = bytes.readUInt16BE(at) & 0x3fff;
      if (pointer >= earliest) return undefined;
      end ??= at + 2;
      at = earliest = pointer;
    }
  }
}

function readQuestion(bytes: Buffer, start: number): Question | undefined {
  const owner = readName(bytes, start);
  if (owner === undefined || owner.end + 4 > bytes.length) return undefined;
  const { name, end } = owner;
  return { name, type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2), end: end + 4 };
}

function readRecord(bytes: Buffer, start: number): WireRecord | undefined {
  const owner = readName(bytes, start);
  if (owner === undefined || owner.end + 10 > bytes.length) return undefined;
  const { name, end } = owner;
  const dataStart = end + 10;
  const dataEnd = dataStart + bytes.readUInt16BE(end + 8);
  if (dataEnd > bytes.length) return undefined;
  return {
    name,
    type: bytes.readUInt16BE(end),
    class: bytes.readUInt16BE(end + 2),
    ttl: bytes.readUInt32BE(end + 4),
    start,
    dataStart,
    data: bytes.subarray(dataStart, dataEnd),
  };
}

function labelText(label: Buffer): string {
  let text = "";
  for (const byte of label) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`;
  }
  return text;
}

/** Whether a name, as a person writes it, is one that messages can carry. */
export function isName(name: string): boolean {
  const labels = name.replace(/\.$/, "").split(".");
  return name.length <= MAX_NAME - 2 && labels.every((label) => /^[!-[\]-~]{1,63}$/.test(label));
}

/** A name in its wire form, uncompressed. @throws {RangeError} where it is not one that {@link isName} accepts */
export function encodeName(name: string): Buffer {
  if (!isName(name)) throw new RangeError(`not a DNS name: ${name}`);
  const labels = name.replace(/\.$/, "").split(".");
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ]);
}

/** DNS names are equal whatever the case of their ASCII letters; the final dot is the root's and goes without saying. */
export function foldName(name: string): string {
  return name.replace(/\.$/, "").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether a name is the other or below it. Both folded. */
export function isWithin(name: string, zone: string): boolean {
  return zone === "" || name === zone || name.endsWith(`.${zone}`);
}

/** A record, or what stands for one in an update. */
export function encodeRecord(
  owner: Buffer,
  { type, class: of, ttl, data = Buffer.alloc(0) }: {
    type: number;
    class: number;
    ttl: number;
    data?: Buffer;
  },
): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(of, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}

export function encodeQuestion(name: Buffer, type: number): Buffer {
  return Buffer.concat([name, Buffer.of(type >> 8, type, 0, CLASS.IN)]);
}

/** @param sections questions, answers, authorities and additionals, each entry in its wire form */
export function encodeMessage(id: number, flags: number, sections: Buffer[][]): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(flags, 2);
  sections.forEach((entries, n) => head.writeUInt16BE(entries.length, 4 + 2 * n));
  return Buffer.concat([head, ...sections.flat()]);
}

/** The data of a TXT record: the text in character strings, cut wherever that is. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const strings: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_STRING) {
    const string = bytes.subarray(at, at + MAX_STRING);
    strings.push(Buffer.of(string.length), string);
  }
  return Buffer.concat(strings);
}

/** The whole text of a TXT record; undefined where its strings promise more bytes than there are. */
export function decodeText(data: Buffer): string | undefined {
  const strings: Buffer[] = [];
  for (let at = 0; at < data.length; at += 1 + data[at]!) {
    if (at + 1 + data[at]! > data.length) return undefined;
    strings.push(data.subarray(at + 1, at + 1 + data[at]!));
  }
  return Buffer.concat(strings).toString();
}
