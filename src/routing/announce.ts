/**
 * What a peer tells a tracker: which keys it holds and which it fetches, signed with its own key. Pure: bytes in, an announce or
 * a refusal out (docs/tracker-protocol.md).
 */
import { Buffer } from "node:buffer";
import type { PrivateKey } from "@libp2p/interface";
import { publicKeyToProtobuf } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { NethoodError } from "../errors.ts";
import { type Key, parseTrackerKey } from "./key.ts";
import { signerOf } from "./signature.ts";

/** Before the payload in what is signed, so that no signature made for anything else counts here. */
const PREFIX = Buffer.from("nethood-announce:");

/** Keys in one announce, most. */
export const MAX_KEYS = 1_000;

/** Addresses of one peer, most: of every interface, for every transport. */
export const MAX_ADDRS = 32;

/** An announce as it is sent, in bytes, at most: a thousand keys of the usual length fit in. */
export const MAX_ANNOUNCE_BYTES: number = 64 * 1024;

/** How far a peer's clock may be off, in milliseconds. */
export const MAX_SKEW_MS: number = 5 * 60 * 1000;

/** The longest of one key or address, in characters. */
const MAX_TEXT = 400;

/**
 * - `started`: adds keys to what the peer has.
 * - `updated`: takes the place of all that it has.
 * - `completed`: the keys are held whole now, and are counted.
 * - `stopped`: the keys, or if none is named all, are gone.
 */
export type AnnounceEvent = "started" | "updated" | "completed" | "stopped";

const EVENTS: readonly string[] = ["started", "updated", "completed", "stopped"];

/** What is announced. */
export interface AnnounceFields {
  /** The origin of the tracker's URL, such as `https://tracker.example.org`: at any other it is worth nothing. */
  tracker: string;
  event: AnnounceEvent;
  /** Multiaddrs at which the peer listens, at most {@link MAX_ADDRS}. Default: none. */
  addrs?: string[];
  /** Keys held whole: `bafy…`, `/ipns/k51…`, `/ipns/docs.example.org`. Default: none. */
  seeds?: string[];
  /** Keys being fetched; with `seeds` at most {@link MAX_KEYS}. Default: none. */
  reads?: string[];
  /** Bytes given to others since the start. Default: 0. */
  given?: number;
  /** For how long it should hold, in seconds; the tracker decides. */
  ttl?: number;
  /** Milliseconds since 1970, greater than in every announce before. Default: now. */
  time?: number;
}

/** An announce whose signature, audience and time are right. */
export interface Announce {
  /** The peer ID, which signed it. */
  id: string;
  /** The same in bytes. */
  multihash: Uint8Array;
  event: AnnounceEvent;
  time: number;
  /** As they came: who hands them on checks them. */
  addrs: string[];
  seeds: Key[];
  reads: Key[];
  given: number;
  ttl: number | undefined;
  /** Keys that are none. */
  refused: { key: string; why: string }[];
}

/** Why an announce is not taken. */
export class Refusal {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 429;
  /** A sentence for the peer. */
  readonly error: string;

  constructor(status: Refusal["status"], error: string) {
    this.status = status;
    this.error = error;
  }
}

/** The body of `POST /tracker/v1/announce`. @throws {NethoodError} BAD_OPTION for more keys or addresses than go into one */
export async function signAnnounce(
  key: PrivateKey,
  { tracker, event, addrs = [], seeds = [], reads = [], given = 0, ttl, time = Date.now() }:
    AnnounceFields,
): Promise<string> {
  if (seeds.length + reads.length > MAX_KEYS || addrs.length > MAX_ADDRS) {
    throw new NethoodError(
      "BAD_OPTION",
      `One announce has ${MAX_KEYS} keys and ${MAX_ADDRS} addresses at most.`,
      { hint: "Send the rest in another, with the event started." },
    );
  }
  const id = peerIdFromPrivateKey(key).toString();
  const payload = Buffer.from(JSON.stringify({
    id,
    tracker,
    event,
    time,
    addrs,
    seeds,
    reads,
    given,
    ttl,
    publicKey: key.type === "RSA"
      ? Buffer.from(publicKeyToProtobuf(key.publicKey)).toString("base64url")
      : undefined,
  }));
  const signature = await key.sign(Buffer.concat([PREFIX, payload]));
  return JSON.stringify({
    payload: payload.toString("base64url"),
    signature: Buffer.from(signature).toString("base64url"),
  });
}

/**
 * Reads what came as the body of an announce. Whether its time is later than that of the peer's last one is for the store.
 *
 * @param options.origins those of the tracker's URLs
 * @param options.now milliseconds since 1970
 */
export async function readAnnounce(
  body: string,
  { origins, now }: { origins: readonly string[]; now: number },
): Promise<Announce | Refusal> {
  if (body.length > MAX_ANNOUNCE_BYTES) return tooMuch();
  const envelope = parse(body);
  const { payload: text, signature } = envelope ?? {};
  if (typeof text !== "string" || typeof signature !== "string") {
    return new Refusal(400, "An announce is JSON with a payload and a signature.");
  }
  const signed = Buffer.alloc(PREFIX.byteLength + Math.ceil(text.length * 3 / 4));
  const length = PREFIX.copy(signed) + signed.write(text, PREFIX.byteLength, "base64url");
  const payload = parse(signed.toString("utf8", PREFIX.byteLength, length));
  if (payload === undefined) return new Refusal(400, "The payload is not JSON in base64url.");
  const { id, tracker, event, time, given = 0, ttl, publicKey } = payload;
  const [addrs, seeds, reads] = [payload.addrs, payload.seeds, payload.reads].map(texts);
  if (
    typeof id !== "string" || id.length > MAX_TEXT || !EVENTS.includes(event as string) ||
    !isNatural(time) || !isNatural(given) || ttl !== undefined && !isNatural(ttl) ||
    publicKey !== undefined && typeof publicKey !== "string" || !addrs || !seeds || !reads
  ) {
    return new Refusal(400, "A field of the payload is missing, or is not what it should be.");
  }
  if (seeds.length + reads.length > MAX_KEYS || addrs.length > MAX_ADDRS) return tooMuch();
  // The cheap checks first: a signature costs more than all of them.
  if (!origins.includes(tracker as string)) {
    return new Refusal(401, `This announce is for another tracker; this one is ${origins[0]}.`);
  }
  if (Math.abs(time - now) > MAX_SKEW_MS) {
    return new Refusal(409, "The announce's time is more than five minutes off the tracker's.");
  }
  const data = signed.subarray(0, length);
  const multihash = await signerOf(id, data, Buffer.from(signature, "base64url"), publicKey);
  if (multihash === undefined) {
    return new Refusal(401, "The announce is not signed by the peer whose ID it has.");
  }
  const refused: Announce["refused"] = [];
  const whole = keys(seeds, refused);
  const ids = new Set(whole.map(({ id }) => id));
  return {
    id,
    multihash,
    event: event as AnnounceEvent,
    time,
    addrs,
    seeds: whole,
    // Who holds it whole fetches it no more.
    reads: keys(reads, refused).filter(({ id }) => !ids.has(id)),
    given,
    ttl,
    refused,
  };
}

function tooMuch(): Refusal {
  return new Refusal(
    413,
    `One announce has ${MAX_KEYS} keys, ${MAX_ADDRS} addresses and ${MAX_ANNOUNCE_BYTES} bytes at most.`,
  );
}

function keys(written: string[], refused: Announce["refused"]): Key[] {
  const found = new Map<string, Key>();
  for (const text of written) {
    try {
      const key = parseTrackerKey(text);
      found.set(key.id, key);
    } catch (error) {
      refused.push({ key: text, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return [...found.values()];
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // Who sent it is told what it should be.
  }
}

function texts(value: unknown): string[] | undefined {
  if (value === undefined) return [];
  const are = Array.isArray(value) &&
    value.every((text) => typeof text === "string" && text.length <= MAX_TEXT);
  return are ? value : undefined;
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
