/**
 * TXT records with the time they may be kept, which `resolveTxt` of node:dns does not tell. Each server is asked in order,
 * in two rounds, until one gives a definite answer.
 */
import { NethoodError, systemCode } from "../errors.ts";
import { ask, NoAnswer } from "./dns-exchange.ts";
import { parseServer, systemServers } from "./dns-servers.ts";
import { encodeQuestion, type TxtRecord } from "./dns-wire.ts";

export type { TxtRecord } from "./dns-wire.ts";

/** How long one server may take for one try, in milliseconds: the slow ones among the public resolvers need half of it. */
const TRY_MS = 1_500;

/** Packets get lost. The second round also does without EDNS, for servers and firewalls that drop it (RFC 6891 section 6.2.2). */
const ROUNDS = 2;

/**
 * Looks up the TXT records of a name. A name that does not exist, or has no TXT records, has none: `[]`.
 *
 * @throws {NethoodError} DNS_UNREACHABLE, where no server gave a definite answer; BAD_ADDRESS, where the name is none
 */
export type TxtResolver = (
  name: string,
  options?: { signal?: AbortSignal | undefined },
) => Promise<TxtRecord[]>;

/**
 * A resolver of TXT records.
 *
 * @param servers who is asked: `1.1.1.1`, `127.0.0.1:5353`, `[::1]:5353`, `udp://host:port`, `https://host/dns-query`
 *   (`http://` only for this machine). None, or undefined: the servers of the system, looked up anew for every name.
 * @param options.timeout milliseconds for one try at one server. Default: 1500.
 * @throws {NethoodError} BAD_OPTION
 */
export function createTxtResolver(
  servers: readonly string[] = [],
  { timeout = TRY_MS }: { timeout?: number } = {},
): TxtResolver {
  const chosen = servers.map(parseServer);
  return async (name, { signal } = {}) => {
    encodeQuestion({ name, id: 0 }, false); // A name that nobody can be asked about is not the servers' failure.
    const failures: { server: string; error: unknown }[] = [];
    const asked = chosen.length > 0 ? chosen : systemServers();
    for (let round = 1; round <= ROUNDS; round++) {
      for (const server of asked) {
        try {
          return await within(
            timeout,
            signal,
            (signal) => ask(server, name, { edns: round === 1, signal }),
          );
        } catch (error) {
          signal?.throwIfAborted();
          failures.push({ server: server.text, error });
        }
      }
    }
    throw unreachable(name, failures);
  };
}

/** Work that may take so many milliseconds; then it ends with {@link NoAnswer}. */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new NoAnswer("timeout")), ms);
  try {
    return await work(signal ? AbortSignal.any([signal, clock.signal]) : clock.signal);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(name: string, failures: { server: string; error: unknown }[]): NethoodError {
  const said = new Map<string, Set<string>>();
  for (const { server, error } of failures) {
    said.set(server, (said.get(server) ?? new Set()).add(describe(error)));
  }
  const list = [...said].map(([server, words]) => `${server} (${[...words].join(", ")})`);
  return new NethoodError(
    "DNS_UNREACHABLE",
    list.length === 0
      ? `There is no DNS server to ask about ${name}.`
      : `No DNS server gave an answer about ${name}: ${list.join("; ")}.`,
    {
      cause: new AggregateError(failures.map(({ error }) => error), "every try failed"),
      hint: "Check the network, or name another DNS server with --dns.",
    },
  );
}

/** What a server "said", in a word or two; the whole error is among the causes. */
export function describe(error: unknown): string {
  if (error instanceof NoAnswer) return error.message;
  const code = systemCode(error);
  if (code === "ECONNREFUSED") return "connection refused";
  // Deno's fetch has no codes, and its message is too long for a list.
  return code ?? "no connection";
}
