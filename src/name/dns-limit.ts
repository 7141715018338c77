/**
 * How much one network may be told over UDP, where a sender can write anybody's address on a question: without a limit, somebody
 * would use this server to flood that address. Pure: time is given to it.
 */
import { isIPv6, SocketAddress } from "node:net";

/** Answers a second for one network, and how many at once after a pause: resolvers ask once a TTL, each. */
const RATE = 20, BURST = 100;

/** Every so many questions beyond it are answered briefly, so that an honest asker comes again over TCP. */
const SLIP = 2;

/** Most networks that are remembered; a flood from more of them pushes out the oldest. */
const MAX_NETWORKS = 10_000;

interface Account {
  tokens: number;
  at: number;
  refused: number;
}

export type Verdict = "answer" | "briefly" | "drop";

export class DnsLimit {
  readonly #accounts = new Map<string, Account>();

  /** @param now milliseconds of a clock that only goes forward */
  take(address: string, now: number): Verdict {
    const network = networkOf(address);
    const known = this.#accounts.get(network);
    const account = known ?? { tokens: BURST, at: now, refused: 0 };
    if (known === undefined) {
      if (this.#accounts.size >= MAX_NETWORKS) {
        const [oldest] = this.#accounts.keys();
        this.#accounts.delete(oldest!);
      }
      this.#accounts.set(network, account);
    }
    account.tokens = Math.min(BURST, account.tokens + (now - account.at) / 1000 * RATE);
    account.at = now;
    if (account.tokens >= 1) {
      account.tokens--;
      return "answer";
    }
    return ++account.refused % SLIP === 0 ? "briefly" : "drop";
  }
}

/** What one customer has: a /24 of IPv4, a /56 of IPv6. */
function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+)\.\d+$/i.exec(address);
  if (v4) return v4[1]!;
  const plain = address.split("%", 1)[0]!;
  if (!isIPv6(plain)) return plain;
  const { address: short } = new SocketAddress({ address: plain, family: "ipv6" });
  const [head = "", tail] = short.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const gap = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = (tail === undefined ? before : [...before, ...gap, ...after]).slice(0, 4);
  const fourth = groups[3]!.padStart(4, "0").slice(0, 2);
  return [...groups.slice(0, 3), fourth].join(":");
}
