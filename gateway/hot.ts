/**
 * Answers that are ready: a file that was just sent whole is sent again without a look at names, directories or blocks. What is
 * asked for in any but the plainest way goes past, and gets its answer where it is made; so does whatever is not held (any more).
 */
import { MemoryTier } from "../src/store/memory.ts";
import { Answer } from "./answer.ts";
import { matches } from "./etag.ts";
import type { ServerTraits } from "./file.ts";

/** Memory for ready answers, in bytes: the hot pages of a few sites. */
export const HOT_BYTES: number = 32 * 1024 * 1024;

/** Larger files come from the store: with them the part of the work that is saved here is small. */
const MAX_BODY = 1024 * 1024;

/** What an answer takes beside its body and the values of its headers, about: their names are shared, the tables are not. */
const ENTRY_BYTES = 2 * 1024;

/** What part of it is for the answers that nothing has changed: they are small, and have no body. */
const UNCHANGED_PART = 1 / 8;

/** After this time one reader's answer is made anew, so that the node notes that the page is still visited. */
const NOTED_MS = 60_000;

/** The client that was answered first has left meanwhile (see error.ts): the others still want theirs. */
const CLIENT_LEFT = 499;

/** A form of content that a program may ask for, such as `application/vnd.ipld.car`; browsers name these three for any page. */
const FORM = /application\/(?!(xhtml\+xml|xml|signed-exchange)\s*(,|;|$))/i;

export interface HotOptions {
  /** Default: {@link HOT_BYTES}; 0 keeps none. */
  bytes?: number;
  /** Differs whenever a name may mean something else before its TTL is over. Default: none does. */
  changes?: () => number;
  /** Whether `X-Forwarded-*` may change what a request means. Default: false. */
  proxied?: boolean;
  /** Milliseconds since any moment. Default: a clock that nobody sets. */
  now?: () => number;
}

type Fetch<Rest extends unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/** What of a request decides about a ready answer. */
export interface Plain {
  method: string;
  url: string;
  headers: Pick<Headers, "get" | "has">;
}

export interface Hot {
  /** The answer, where it is ready; for a server that can send it without a Request and a Response. */
  ready(asked: Plain): Answer | undefined;
}

/** An answer that is ready, without a body (304) or with one. */
interface Ready {
  answer: Answer;
  /** When it has to be made anew. */
  until: number;
  /** When the name it came by has to be looked up again; undefined where it came by none. */
  ttl: { ends: number; told: number; changes: number } | undefined;
}

/** When an answer began to be made, and what names meant then. */
interface Moment {
  began: number;
  changes: number;
}

/** Puts ready answers in front of whoever makes them. */
export function withHot<Rest extends unknown[]>(
  cold: Fetch<Rest>,
  { bytes = HOT_BYTES, changes = () => 0, proxied = false, now = () => performance.now() }:
    HotOptions = {},
): Fetch<Rest> & Hot {
  const weigh = ({ answer }: Ready, url: string) =>
    answer.bytes + answer.headerBytes + url.length + ENTRY_BYTES;
  const whole = new MemoryTier<Ready>((1 - UNCHANGED_PART) * bytes, weigh);
  /** The 304s, by the same addresses: a key of their own would have to be put together and hashed for every request. */
  const unchanged = new MemoryTier<Ready>(UNCHANGED_PART * bytes, weigh);
  /** What is being made, for all who ask for the same at that time, whatever it turns out to be. */
  const underway = new Map<string, Promise<Answer | undefined>>();

  // Not async: a promise costs as much as the rest of it.
  const fetch: Fetch<Rest> = (request, ...rest) => {
    if (!isPlain(request, proxied)) return cold(request, ...rest);
    const answer = find(request);
    const isHead = request.method === "HEAD";
    if (answer !== undefined) return isHead ? answer.head() : answer.respond(traitsOf(rest));
    if (request.headers.has("if-none-match")) return learn(request, rest);
    return isHead ? cold(request, ...rest) : together(request, rest);
  };
  const ready = (asked: Plain) => isPlain(asked, proxied) ? find(asked) : undefined;
  return Object.assign(fetch, { ready });

  /** The answer to a plain request, as far as it is here; one to HEAD comes with the body that it leaves out. */
  function find({ method, url, headers }: Plain): Answer | undefined {
    const tags = headers.get("if-none-match");
    if (tags !== null) {
      const known = held(unchanged, url);
      if (known && isKnown(tags, known.answer.etag!)) return known.answer;
    }
    const found = held(whole, url);
    if (found === undefined) return undefined;
    if (tags !== null && isKnown(tags, found.answer.etag!)) return undefined;
    return method === "HEAD" || now() < found.until ? found.answer : undefined;
  }

  /** What is held and still true, with the time that it has left. */
  function held(kept: MemoryTier<Ready>, url: string): Ready | undefined {
    const found = kept.get(url);
    if (found?.ttl === undefined) return found;
    const left = Math.ceil((found.ttl.ends - now()) / 1000);
    if (left <= 0 || found.ttl.changes !== changes()) {
      kept.delete(url);
      return undefined;
    }
    if (left !== found.ttl.told) {
      found.ttl.told = left;
      found.answer.set("Cache-Control", `public, max-age=${left}`);
    }
    return found;
  }

  /** A conditional request, whose 304 is kept as it was made. */
  async function learn(request: Request, rest: Rest): Promise<Response> {
    const moment = { began: now(), changes: changes() };
    const response = await cold(request, ...rest);
    if (response.status === 304) {
      keep(unchanged, request.url, new Answer(304, response.headers, null), moment);
    }
    return response;
  }

  /** Makes an answer once for all who ask for the same at once. */
  async function together(request: Request, rest: Rest): Promise<Response> {
    // What is made here, an error or a listing, is made for people or for programs, and in their language.
    const { headers } = request;
    const key = `${headers.get("accept")} ${headers.get("accept-language")} ${request.url}`;
    for (let first = underway.get(key); first !== undefined; first = underway.get(key)) {
      const shared = await first;
      if (shared === undefined) break;
      if (shared.status !== CLIENT_LEFT) return shared.respond(traitsOf(rest));
    }
    const mine = Promise.withResolvers<Answer | undefined>();
    if (!underway.has(key)) underway.set(key, mine.promise);
    try {
      const moment = { began: now(), changes: changes() };
      const response = await cold(request, ...rest);
      const toKeep = (answer: Answer) => keep(whole, request.url, answer, moment);
      const made = await wholeOf(response, toKeep);
      if (made instanceof Response) return made;
      if (made.status === 200) toKeep(made);
      mine.resolve(made);
      return made.respond(traitsOf(rest));
    } finally {
      mine.resolve(undefined);
      if (underway.get(key) === mine.promise) underway.delete(key);
    }
  }

  /** Keeps an answer of content, if it holds for a while. */
  function keep(
    kept: MemoryTier<Ready>,
    url: string,
    answer: Answer,
    { began, changes: before }: Moment,
  ): void {
    const lasting = /^public, max-age=(\d+)(, immutable)?$/.exec(answer.get("cache-control") ?? "");
    // Only content has roots; what others add to the gateway is theirs to keep.
    if (lasting === null || !answer.etag || !answer.get("x-ipfs-roots")) return;
    // What is made for its reader, such as a listing, has to be made for the next one.
    if (answer.get("vary") !== null) return;
    const seconds = Number(lasting[1]);
    // Counted from before it was made: that may have taken a while, and the name was looked up first.
    const ttl = lasting[2] ? undefined : {
      ends: began + seconds * 1000,
      told: seconds,
      changes: before,
    };
    kept.set(url, { answer, until: began + NOTED_MS, ttl });
  }
}

function traitsOf([traits]: unknown[]): ServerTraits | undefined {
  return traits as ServerTraits | undefined;
}

/** Whether it asks to read, and nothing but the address decides about the answer. */
function isPlain({ method, url, headers }: Plain, proxied: boolean): boolean {
  if (method !== "GET" && method !== "HEAD" || url.includes("?")) return false;
  if (
    headers.has("range") || headers.has("cache-control") || headers.has("service-worker") ||
    proxied && (headers.has("x-forwarded-host") || headers.has("x-forwarded-proto"))
  ) return false;
  const accept = headers.get("accept");
  return accept === null || accept === "*/*" || !FORM.test(accept);
}

function isKnown(tags: string, etag: string): boolean {
  return tags === etag || matches(tags, etag);
}

/**
 * An answer in one piece; or, where it is larger than that, the response to be sent instead of the one that was looked into.
 *
 * @param onEnd called when a small answer in several pieces has been sent whole
 */
async function wholeOf(
  response: Response,
  onEnd: (answer: Answer) => void,
): Promise<Answer | Response> {
  const { status, headers, body } = response;
  if (body === null) return new Answer(status, headers, body);
  const length = Number(headers.get("content-length") ?? Infinity);
  if (length > MAX_BODY) return response;
  const reader = body.getReader();
  const first = (await reader.read()).value ?? new Uint8Array();
  if (first.byteLength === length) {
    await reader.read(); // its end
    return new Answer(status, headers, first);
  }
  const all = new Uint8Array(length);
  let sent = 0;
  let next: Uint8Array | undefined = first;
  const rest = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = next ?? (await reader.read()).value;
      next = undefined;
      if (piece !== undefined) {
        if (sent + piece.byteLength <= length) all.set(piece, sent);
        sent += piece.byteLength;
        return controller.enqueue(piece);
      }
      if (status === 200 && sent === length) onEnd(new Answer(status, headers, all));
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(rest, { status, headers });
}
