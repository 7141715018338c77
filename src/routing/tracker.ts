/**
 * The conversation with one tracker (docs/tracker-protocol.md), or with any Delegated Routing V1 server, which knows no announces.
 * All that it says is a hint: whoever it names is dialled by peer ID, and what they serve is checked.
 */
import {
  type DelegatedRoutingV1HttpApiClient as Client,
  delegatedRoutingV1HttpApiClient as createClient,
} from "@helia/delegated-routing-v1-http-api-client";
import type { Libp2p, PeerId, PrivateKey } from "@libp2p/interface";
import { peerIdFromCID } from "@libp2p/peer-id";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { type AnnounceFields, signAnnounce } from "./announce.ts";

/** How long a tracker may take for one answer, in milliseconds. */
const ANSWER_MS = 5_000;

/** A tracker that takes longer than this to say what it knows of a name is not waited for the next time, in milliseconds. */
const SLOW_MS = 1_000;

/** An answer of a tracker, at most, in bytes: a thousand refused keys with a sentence each. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** The shortest and the longest time between two announces that a tracker can ask for, in seconds. */
const MIN_INTERVAL = 1, MAX_INTERVAL = 24 * 60 * 60;

/** What a tracker says to an announce, or to its renewal. */
export interface Accepted {
  /** When to renew it, in seconds. */
  interval: number;
  /** Renews it without a signature. */
  token: string;
  /** Keys that it does not take, and why. */
  refused: { key: string; why: string }[];
}

/** Somebody who may have what was asked for. */
export interface Provider {
  id: PeerId;
  addrs: Multiaddr[];
}

/** Why a tracker did not do what it was asked to. */
export class TrackerError extends Error {
  override readonly name = "TrackerError";
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** When it may be asked again, in milliseconds from now; undefined where it did not say. */
  readonly retryAfter: number | undefined;

  constructor(message: string, status: number, retryAfter?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

type Fields = Omit<AnnounceFields, "tracker" | "time">;
type Options = { signal: AbortSignal };

/** The origin of a tracker's URL. @throws {NethoodError} BAD_OPTION */
export function parseTracker(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.hash) {
    return url.origin;
  }
  throw new NethoodError("BAD_OPTION", `"${text}" is not a tracker's address.`, {
    hint: "Use the URL that the tracker printed at its start, such as https://tracker.example.org.",
  });
}

export class Tracker {
  readonly origin: string;
  readonly #key: PrivateKey;
  readonly #client: Client;
  readonly #now: () => number;
  /** How far the tracker's clock is ahead of ours, in milliseconds, as far as it matters. */
  #ahead = 0;
  /** The time of the last announce: each has to be later than the one before. */
  #last = 0;
  #slow = false;

  constructor(
    origin: string,
    { key, logger, now = Date.now }: Pick<Libp2p, "logger"> & {
      key: PrivateKey;
      now?: () => number;
    },
  ) {
    this.origin = origin;
    this.#key = key;
    this.#now = now;
    this.#client = createClient({ url: `${origin}/`, timeout: ANSWER_MS, cacheTTL: 0 })({ logger });
  }

  /** @throws {TrackerError} */
  async announce(fields: Fields, { signal }: Options): Promise<Accepted> {
    try {
      return await this.#announce(fields, signal);
    } catch (error) {
      // One of the two clocks is wrong, and only the tracker's counts here.
      if (!(error instanceof ClockError)) throw error;
      this.#ahead = error.time - this.#now();
      return await this.#announce(fields, signal);
    }
  }

  async #announce(fields: Fields, signal: AbortSignal): Promise<Accepted> {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() + this.#ahead));
    const body = await signAnnounce(this.#key, {
      ...fields,
      tracker: this.origin,
      time: this.#last,
    });
    const answer = await this.#post("announce", body, signal);
    const { token, refused } = answer;
    if (typeof token !== "string") throw this.#odd("its answer to an announce has no token");
    return {
      interval: intervalOf(answer),
      token,
      refused: Array.isArray(refused) ? refused.map(refusedKey) : [],
    };
  }

  /** The seconds until the next renewal; undefined where the tracker knows nothing of it any more. @throws {TrackerError} */
  async renew(token: string, given: number, { signal }: Options): Promise<number | undefined> {
    try {
      return intervalOf(await this.#post("renew", JSON.stringify({ token, given }), signal));
    } catch (error) {
      if (error instanceof TrackerError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Who may have a block, or follows the site of an IPNS key. */
  async *providers(cid: CID, { signal }: Options): AsyncGenerator<Provider> {
    for await (const { ID, Addrs } of this.#client.getProviders(cid, { signal })) {
      yield { id: peerIdFromCID(ID), addrs: Addrs };
    }
  }

  /** Whether the last question for a record took over a second, answered or not. */
  get slow(): boolean {
    return this.#slow;
  }

  /** An IPNS record, unchecked. */
  async record(key: CID, { signal }: Options): Promise<Uint8Array> {
    const asked = performance.now();
    try {
      return await this.#client.getIPNS(key, { signal });
    } finally {
      const took = performance.now() - asked;
      // Who was interrupted before that may be slow or not.
      if (took > SLOW_MS || !signal.aborted) this.#slow = took > SLOW_MS;
    }
  }

  async putRecord(key: CID, record: Uint8Array, { signal }: Options): Promise<void> {
    await this.#client.putIPNS(key, record, { signal });
  }

  async stop(): Promise<void> {
    await this.#client.stop();
  }

  async #post(path: string, body: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    let response: Response;
    let answer: Record<string, unknown>;
    try {
      response = await fetch(`${this.origin}/tracker/v1/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      answer = await readJson(response);
    } catch (cause) {
      signal.throwIfAborted();
      throw new TrackerError(`the tracker ${this.origin} does not answer`, 0, undefined, cause);
    }
    const { status } = response;
    if (response.ok) return answer;
    if (status === 409 && Number.isSafeInteger(answer.time)) {
      throw new ClockError(this.#said(answer, status), answer.time as number);
    }
    const seconds = Number(response.headers.get("Retry-After") ?? NaN);
    const retryAfter = seconds >= 0 ? Math.min(seconds, MAX_INTERVAL) * 1000 : undefined;
    throw new TrackerError(this.#said(answer, status), status, retryAfter);
  }

  #said({ error }: Record<string, unknown>, status: number): string {
    const why = typeof error === "string" ? error.slice(0, 200) : `status ${status}`;
    return `the tracker ${this.origin} refused: ${why}`;
  }

  #odd(what: string): TrackerError {
    return new TrackerError(`the tracker ${this.origin} speaks another language: ${what}`, 0);
  }
}

class ClockError extends TrackerError {
  readonly time: number;

  constructor(message: string, time: number) {
    super(message, 409);
    this.time = time;
  }
}

function intervalOf({ interval }: Record<string, unknown>): number {
  const seconds = Number(interval);
  return Math.min(MAX_INTERVAL, Math.max(MIN_INTERVAL, Number.isFinite(seconds) ? seconds : 60));
}

function refusedKey(refused: unknown): { key: string; why: string } {
  const { key, why } = (refused ?? {}) as Record<string, unknown>;
  return { key: String(key).slice(0, 200), why: String(why).slice(0, 200) };
}

/** The body as an object, if it is one of a sensible size; `{}` for anything else. */
async function readJson({ body }: Response): Promise<Record<string, unknown>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_ANSWER_BYTES) return {}; // and with that the body is cancelled
    parts.push(part);
  }
  try {
    const value: unknown = JSON.parse(await new Blob(parts as BlobPart[]).text());
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {}; // No answer of a tracker, which the caller tells.
  }
}
