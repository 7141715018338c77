/**
 * Writes texts into the DNS: TXT records at a name, by RFC 2136 UPDATE, signed with TSIG. Only those texts change that begin as
 * ours do; whatever else stands at the name stays.
 */
import { Buffer } from "node:buffer";
import { NethoodError } from "../errors.ts";
import { describe, within } from "./dns.ts";
import { exchangeTcp, exchangeUdp, NoAnswer } from "./dns-exchange.ts";
import {
  CLASS,
  decodeText,
  encodeMessage,
  encodeName,
  encodeQuestion,
  encodeRecord,
  encodeText,
  FLAG,
  foldName,
  isWithin,
  type Message,
  OPCODE,
  parseMessage,
  RCODE,
  readName,
  TYPE,
} from "./dns-message.ts";
import {
  aliased,
  changing,
  elsewhere,
  forged,
  notAuthoritative,
  noZone,
  refused,
  unreachable,
} from "./dns-update-errors.ts";
import type { UpdateServer } from "./dns-update-server.ts";
import { signMessage, type Verdict, verifyMessage } from "./tsig.ts";

/** What a resolver may keep, in seconds: readers follow a new address within a minute. */
const TTL_S = 60;

/** How long a server may take for one try, in milliseconds. A change is written to its disk first. */
const TRY_MS = 5_000;

/** TCP first, where nobody can speak in another's name; UDP where that does not come through. */
const WAYS = ["TCP", "UDP", "UDP"] as const;
type Way = typeof WAYS[number];

/** How often it is tried while somebody else changes the same name. */
const ROUNDS = 4;

/** What a name is to say. */
export interface OwnTexts {
  /** Such as `_dnslink.docs.example.org`. */
  name: string;
  /** How the texts begin that are ours to replace, such as `dnslink=`. */
  prefix: string;
  /** Each begins so. None: those that are there go. */
  texts: string[];
}

/** What became of it. */
export interface Updated {
  name: string;
  /** The zone that holds the name. */
  zone: string;
  /** False where all of it was right already. */
  changed: boolean;
  /** Texts that were taken away, and ones that are new. */
  removed: string[];
  added: string[];
}

export interface UpdateOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds for one try. Default: 5000. */
  timeout?: number;
  /** The clock, in milliseconds since 1970. Default: this machine's. */
  now?: () => number;
}

/**
 * Makes a name's own texts these. A record that is right already stays as it is, whatever its TTL, and the zone unchanged; the
 * server confirms even that under its signature, so that a wrong key is known on the first day.
 *
 * @throws {NethoodError} DNS_UPDATE_FAILED, where the server will not, or what answers is not the server; DNS_UNREACHABLE
 */
export async function updateTexts(
  server: UpdateServer,
  { name, prefix, texts }: OwnTexts,
  options: UpdateOptions = {},
): Promise<Updated> {
  const talk = createTalk(server, options);
  const owner = foldName(name);
  const wanted = new Set(texts);
  let failed: There[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const zone = server.zone ?? await findZone(talk, owner);
    const found = await lookUp(talk, owner, zone);
    // What is still told, and still not so, is a wildcard's: at the name itself there is nothing yet.
    const there = found.length > 0 && same(found, failed) ? [] : found;
    failed = there;
    const ours = there.filter(({ text }) => text?.startsWith(prefix));
    const old = ours.filter(({ text }) => !wanted.has(text!));
    const fresh = [...wanted].filter((text) => ours.every((one) => one.text !== text));
    const done = await talk.change(zone, owner, {
      there: there.map(({ data }) => data),
      old: old.map(({ data }) => data),
      fresh: fresh.map(encodeText),
    });
    if (!done) continue;
    const removed = old.map(({ text }) => text!);
    const changed = old.length + fresh.length > 0;
    return { name: owner, zone, changed, removed, added: fresh };
  }
  throw changing(server, owner);
}

function same(some: There[], others: There[]): boolean {
  const texts = (records: There[]) => records.map(({ data }) => data.toString("latin1")).sort();
  return JSON.stringify(texts(some)) === JSON.stringify(texts(others));
}

type Talk = ReturnType<typeof createTalk>;

/** The zone that holds a name: its SOA record comes with the answer, whether the name is there or not (RFC 2308). */
async function findZone({ server, ask }: Talk, name: string): Promise<string> {
  const reply = await ask(name, TYPE.SOA);
  const { answers, authorities } = reply;
  refuseAlias(server, reply, name);
  const soa = [...answers, ...authorities].find(({ type }) => type === TYPE.SOA);
  if (soa !== undefined && isWithin(name, foldName(soa.name))) return foldName(soa.name);
  const ns = authorities.find(({ type }) => type === TYPE.NS);
  if (ns !== undefined) throw elsewhere(server, name, foldName(ns.name));
  throw noZone(server, name, reply.rcode);
}

interface There {
  data: Buffer;
  /** Undefined where it is malformed. */
  text: string | undefined;
}

/** The TXT records of a name, to the byte: the change is made only if they are still the same. */
async function lookUp({ server, ask }: Talk, name: string, zone: string): Promise<There[]> {
  const reply = await ask(name, TYPE.TXT);
  refuseAlias(server, reply, name);
  const known = reply.rcode === RCODE.NOERROR || reply.rcode === RCODE.NXDOMAIN;
  if (!known) throw noZone(server, name, reply.rcode);
  // A resolver has what was there a while ago, and lets nobody change it.
  if ((reply.flags & FLAG.AA) === 0) throw notAuthoritative(server, zone);
  return reply.answers.filter(({ type, name: owner }) =>
    type === TYPE.TXT && foldName(owner) === name
  ).map(({ data }) => ({ data, text: decodeText(data) }));
}

/** An update at an alias is silently ignored (RFC 2136 section 3.4.2.2): better said than wondered about. */
function refuseAlias(server: UpdateServer, { answers, bytes }: Reply, name: string): void {
  const alias = answers.find(({ type, name: owner }) =>
    type === TYPE.CNAME && foldName(owner) === name
  );
  if (alias === undefined) return;
  throw aliased(server, name, readName(bytes, alias.dataStart)?.name ?? "another name");
}

type Reply = Message & { bytes: Buffer };

interface Change {
  there: Buffer[];
  old: Buffer[];
  fresh: Buffer[];
}

/** Questions and changes to one server. */
function createTalk(
  server: UpdateServer,
  { signal, timeout = TRY_MS, now = Date.now }: UpdateOptions,
) {
  async function exchange<T>(
    message: Buffer,
    readBytes: (bytes: Uint8Array, way: Way) => T | undefined,
  ): Promise<T> {
    const failures: { way: string; error: unknown }[] = [];
    for (const way of WAYS) {
      const read = (bytes: Uint8Array) => readBytes(bytes, way);
      const send = way === "TCP" ? exchangeTcp : exchangeUdp;
      try {
        return await within(timeout, signal, (signal) => send(server, message, read, signal));
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof NethoodError) throw error;
        failures.push({ way, error });
      }
    }
    throw unreachable(
      server,
      failures.map(({ way, error }) => `${way}: ${describe(error)}`),
      failures,
    );
  }

  /** What answers a message: the same id, opcode and question. */
  function readReply(bytes: Uint8Array, id: number, opcode: number): Reply | undefined {
    const reply = parseMessage(bytes);
    if (reply === undefined || reply.id !== id || reply.opcode !== opcode) return undefined;
    if ((reply.flags & FLAG.QR) === 0) return undefined;
    if ((reply.flags & FLAG.TC) !== 0) throw new NoAnswer("a truncated answer");
    return { ...reply, bytes: Buffer.from(bytes) };
  }

  async function ask(name: string, type: number): Promise<Reply> {
    const id = randomId();
    const question = encodeQuestion(encodeName(name), type);
    return await exchange(encodeMessage(id, 0, [[question], [], [], []]), (bytes) => {
      const reply = readReply(bytes, id, OPCODE.QUERY);
      const [asked] = reply?.questions ?? [];
      return asked?.type === type && foldName(asked.name) === name ? reply : undefined;
    });
  }

  /** @returns false where the records are no longer what they were */
  async function change(zone: string, name: string, { there, old, fresh }: Change) {
    const id = randomId();
    const owner = encodeName(name);
    const txt = (of: number, ttl: number, data?: Buffer) =>
      encodeRecord(owner, { type: TYPE.TXT, class: of, ttl, ...(data && { data }) });
    // RFC 2136 section 2.4: these records and no others, or none at all; section 2.5: go, and come.
    const message = encodeMessage(id, OPCODE.UPDATE << 11, [
      [encodeQuestion(encodeName(zone), TYPE.SOA)],
      there.length > 0 ? there.map((data) => txt(CLASS.IN, 0, data)) : [txt(CLASS.NONE, 0)],
      [
        ...old.map((data) => txt(CLASS.NONE, 0, data)),
        ...fresh.map((data) => txt(CLASS.IN, TTL_S, data)),
      ],
      [],
    ]);
    const signed = signMessage(message, server.key, { now: now() });
    let doubt: NethoodError | undefined;
    const answer = exchange(signed.message, (bytes, way) => {
      const reply = readReply(bytes, id, OPCODE.UPDATE);
      if (reply === undefined) return undefined;
      const request = signed.mac;
      const verdict = verifyMessage(bytes, reply, server.key, { now: now(), request });
      doubt = doubtful(server, reply.rcode, verdict);
      if (doubt === undefined) return { rcode: reply.rcode, verdict };
      // Over UDP anybody can say so: the true answer may be on its way (RFC 8945 section 5.3).
      if (way === "UDP") return undefined;
      throw doubt;
    });
    const { rcode, verdict } = await answer.catch((error) => {
      signal?.throwIfAborted();
      throw doubt ?? error;
    });
    if (verdict.kind === "good" && rcode === RCODE.NOERROR) return true;
    const overtaken: number[] = [RCODE.NXRRSET, RCODE.YXRRSET, RCODE.NXDOMAIN];
    if (verdict.kind === "good" && overtaken.includes(rcode)) return false;
    throw refused(server, { zone, name, rcode, verdict, now: now() });
  }

  return { server, ask, change };
}

/**
 * Whether an answer does not prove that it is the server's. A refusal needs no signature to be believed: whoever can forge one
 * could cut us off as well.
 */
function doubtful(server: UpdateServer, rcode: number, verdict: Verdict): NethoodError | undefined {
  if (verdict.kind === "bad") return forged(server, `its signature ${verdict.why}`);
  const unsigned = verdict.kind === "unsigned" && rcode === RCODE.NOERROR;
  return unsigned ? forged(server, "it is not signed") : undefined;
}

function randomId(): number {
  return crypto.getRandomValues(new Uint16Array(1))[0]!;
}
