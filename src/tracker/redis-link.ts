/**
 * A connection to Redis that comes back by itself. No call waits for long: while Redis is away, or says nothing, it fails with
 * STORE_UNREACHABLE, and whoever runs the tracker is told once.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createClient, ErrorReply, RESP_TYPES } from "@redis/client";
import { NethoodError, systemCode } from "../errors.ts";
import type { StoreAddress } from "./redis-url.ts";

/** How long one answer may take, and a connection, in milliseconds. */
const ANSWER_MS = 2_000, CONNECT_MS = 3_000;

/** How often an idle connection is tried, and after what silence it is given up, in milliseconds. */
const PING_MS = 1_500, SILENCE_MS = 4_000;

/** How long there is between two attempts to connect, in milliseconds: at first, and at most. */
const RETRY_MS = 50, MAX_RETRY_MS = 1_000;

/** Calls that wait for an answer, most. */
const MAX_WAITING = 20_000;

/** What a Redis says that is there and cannot: it is starting, full, busy, a replica, or wants another user. */
const NOT_NOW =
  /^(LOADING|OOM|READONLY|MISCONF|BUSY|MASTERDOWN|NOREPLICAS|NOAUTH|NOPERM|WRONGPASS)/;

/** What a person is told of it, and what helps. */
const REASONS: [RegExp, message: (why: string) => string, hint: string][] = [
  [
    /^(NOAUTH|WRONGPASS|NOPERM)/,
    () => "refuses this user and password",
    "Write the password that it wants into the URL: --store redis://:PASSWORD@HOST:PORT.",
  ],
  [
    /^OOM/,
    () => "is full: it keeps who is there, and takes nobody new before its maxmemory is raised",
    "Raise its option maxmemory.",
  ],
  [
    /certificate|CERT|UNABLE_TO_VERIFY/i,
    (why) => `has a certificate that is not believed (${why})`,
    "Name the file of who signed it in DENO_CERT, or on Node in NODE_EXTRA_CA_CERTS.",
  ],
  [
    /./s,
    (why) => `cannot be used now (${why})`,
    "Start the Redis or Valkey there, or name another with --store.",
  ],
];

/** Stands for whatever one may ask a Redis. */
const ANYTHING = "";

/** For answers that are bytes and no text. */
const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** A Lua script, which Redis runs as one step. */
export interface Script {
  text: string;
  sha1: string;
}

export function script(text: string): Script {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

type Argument = string | number | Uint8Array;

export class RedisLink {
  readonly #address: StoreAddress;
  readonly #log: (line: string) => void;
  #client: ReturnType<typeof createClient>;
  /** Whether it was connected once: until then nothing is tried again. */
  #opened = false;
  #closed = false;
  /** What somebody was told that it does not do now: a script, a command, or anything; undefined where it does all. */
  #away: string | undefined;

  private constructor(address: StoreAddress, log: (line: string) => void) {
    this.#address = address;
    this.#log = log;
    this.#client = this.#create();
  }

  /** @throws {NethoodError} STORE_UNREACHABLE */
  static async open(address: StoreAddress, log: (line: string) => void): Promise<RedisLink> {
    const link = new RedisLink(address, log);
    try {
      await link.#client.connect();
      // Only to a command does a Redis that wants a password say so.
      await link.#client.ping();
    } catch (error) {
      await link.close();
      throw link.#unreachable(error);
    }
    link.#opened = true;
    return link;
  }

  /** Runs a script, whose first argument is the prefix of all keys. @throws {NethoodError} STORE_UNREACHABLE */
  async run({ text, sha1 }: Script, ...args: Argument[]): Promise<unknown> {
    const all = ["0", this.#address.prefix, ...args];
    try {
      return await this.#send(["EVALSHA", sha1, ...all], { what: sha1 });
    } catch (error) {
      // A Redis that was started anew has forgotten it.
      if (!(error instanceof ErrorReply && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.#send(["EVAL", text, ...all], { what: sha1 });
    }
  }

  /** A command about one key, written without the prefix. @throws {NethoodError} STORE_UNREACHABLE */
  async send(command: string, key: string, ...args: Argument[]): Promise<unknown> {
    return await this.#send([command, this.#address.prefix + key, ...args]);
  }

  /** The same for what is no text. */
  async bytes(command: string, key: string, ...args: Argument[]): Promise<Buffer | null> {
    const all = [command, this.#address.prefix + key, ...args];
    return await this.#send(all, { options: BYTES }) as Buffer | null;
  }

  /** What Redis says of itself, as far as this user may hear it. */
  async info(): Promise<string> {
    return String(await this.#send(["INFO"]).catch(() => ""));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const client = this.#client;
    // What was begun is ended, as long as it is answered.
    if (client.isReady) await within(ANSWER_MS, client.close()).catch(() => undefined);
    client.destroy();
  }

  /** @param what the name of what is done. Default: the command's */
  async #send(
    args: Argument[],
    { what = String(args[0]), options }: { what?: string; options?: typeof BYTES } = {},
  ): Promise<unknown> {
    const client = this.#client;
    const words = args.map((arg) =>
      arg instanceof Uint8Array ? Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength) : `${arg}`
    );
    try {
      const answer = await within(ANSWER_MS, client.sendCommand(words, options));
      // A Redis that is full, or a replica, does the one and not the other.
      if (this.#away === ANYTHING || this.#away === what) {
        this.#tell(undefined, `The store ${this.#address.text} is back.`);
      }
      return answer;
    } catch (error) {
      if (error instanceof ErrorReply && !NOT_NOW.test(error.message)) throw error;
      if (error instanceof Silence) this.#replace(client);
      throw this.#missed(error, error instanceof ErrorReply ? what : ANYTHING);
    }
  }

  #create(): ReturnType<typeof createClient> {
    const { host, port, tls, username, password, database } = this.#address;
    const client = createClient({
      socket: {
        ...{ host, port, ...(tls && { tls }) },
        connectTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        reconnectStrategy: (retries) =>
          this.#opened && Math.min(RETRY_MS * 2 ** retries, MAX_RETRY_MS),
      },
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      database,
      RESP: 2,
      pingInterval: PING_MS,
      commandsQueueMaxLength: MAX_WAITING,
      disableOfflineQueue: true,
      maintNotifications: "disabled",
      // Its own limit ends with the sending, and takes a timer of the system's for each command.
      commandOptions: { timeout: 0 },
    });
    client.on("error", (error) => {
      // Whoever opens it is told.
      if (this.#opened) this.#missed(error, ANYTHING);
    });
    return client as ReturnType<typeof createClient>;
  }

  /** All that waits on a silent connection fails now; the next one may be to somebody else behind the same name. */
  #replace(silent: ReturnType<typeof createClient>): void {
    if (this.#client !== silent || this.#closed) return;
    this.#client = this.#create();
    // What goes wrong is told as an event, and tried again.
    this.#client.connect().catch(() => undefined);
    silent.destroy();
  }

  #missed(error: unknown, what: string): NethoodError {
    const failure = this.#unreachable(error);
    const line = `${failure.message} Until it is back, who asks is told to come again.`;
    if (this.#away === undefined) this.#tell(what, line);
    return failure;
  }

  #tell(away: string | undefined, line: string): void {
    if (this.#closed) return;
    this.#away = away;
    this.#log(line);
  }

  #unreachable(cause: unknown): NethoodError {
    const { text } = this.#address;
    const why = cause instanceof Error ? systemCode(cause) ?? cause.message : String(cause);
    const [, message, hint] = REASONS.find(([reason]) => reason.test(why))!;
    return new NethoodError("STORE_UNREACHABLE", `The store ${text} ${message(why)}.`, {
      cause,
      hint,
    });
  }
}

class Silence extends Error {
  override readonly name = "Silence";
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Silence("no answer")), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
