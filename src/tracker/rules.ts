/** Who may announce a site, and who may ask for it: what the owner of a tracker has written down. */
import { BlockList, isIP } from "node:net";
import { NethoodError } from "../errors.ts";
import { parseTrackerKey } from "../routing/key.ts";
import { includes } from "../routing/network.ts";

/**
 * - `open`: anybody.
 * - `followers`: who has announced the key already; of askers, who is where a follower is.
 * - A list: peer IDs that may announce, or networks (`192.0.2.0/24`) that may ask. An empty one means nobody.
 */
export interface KeyRules {
  announce: "open" | "followers" | Set<string>;
  /** May announce although they are no followers yet. */
  peers: Set<string>;
  ask: "open" | "followers" | BlockList;
}

export interface Rules {
  /** Those of a key, or the ones for all keys that are not named. @param key its id */
  of(key: string): KeyRules;
  /** Whether everything is open to everybody. */
  open: boolean;
}

const OPEN: KeyRules = { announce: "open", peers: new Set(), ask: "open" };

export const OPEN_RULES: Rules = { of: () => OPEN, open: true };

/**
 * Reads a file of rules:
 *
 *     {
 *       "default": { "announce": [], "ask": "open" },
 *       "keys": {
 *         "/ipns/docs.example.org": { "announce": "open" },
 *         "/ipns/k51…": { "announce": "followers", "peers": ["12D3KooW…"], "ask": ["192.0.2.0/24"] }
 *       }
 *     }
 *
 * @throws {NethoodError} BAD_OPTION, with a sentence that says where it is wrong
 */
export function parseRules(text: string): Rules {
  const file = object(json(text), "the file");
  only(file, ["default", "keys"], "the file");
  const fallback = keyRules(file.default ?? {}, "default", OPEN);
  const keys = new Map<string, KeyRules>();
  for (const [key, rules] of Object.entries(object(file.keys ?? {}, "keys"))) {
    keys.set(idOf(key), keyRules(rules, key, fallback));
  }
  return { of: (key) => keys.get(key) ?? fallback, open: keys.size === 0 && fallback === OPEN };
}

function keyRules(value: unknown, where: string, fallback: KeyRules): KeyRules {
  const rules = object(value, where);
  only(rules, ["announce", "peers", "ask"], where);
  const list = (what: unknown) => {
    if (!Array.isArray(what) || what.some((text) => typeof text !== "string")) {
      throw bad(`"${where}" has a rule that is not open, followers or a list.`);
    }
    return what as string[];
  };
  const word = (what: unknown) => what === "open" || what === "followers" ? what : undefined;
  const { announce, peers, ask } = rules;
  if (announce === undefined && peers === undefined && ask === undefined) return fallback;
  return {
    announce: announce === undefined
      ? fallback.announce
      : word(announce) ?? new Set(list(announce)),
    peers: new Set(peers === undefined ? [] : list(peers)),
    ask: ask === undefined ? fallback.ask : word(ask) ?? networks(list(ask), where),
  };
}

/** Whether a peer may announce a key. @param follows asked where it matters: whether the peer has announced it already */
export async function mayAnnounce(
  { announce, peers }: KeyRules,
  id: string,
  follows: () => Promise<boolean>,
): Promise<boolean> {
  if (announce === "open" || peers.has(id)) return true;
  return announce === "followers" ? await follows() : announce.has(id);
}

/** Whether an address may ask. @param follows asked where it matters: whether a follower announced from there */
export async function mayAsk(
  { ask }: KeyRules,
  ip: string,
  follows: () => Promise<boolean>,
): Promise<boolean> {
  if (ask === "open") return true;
  return ask === "followers" ? await follows() : includes(ask, ip);
}

function networks(texts: string[], where: string): BlockList {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const most = version === 6 ? 128 : 32;
    if (version === 0 || Number(bits ?? most) > most) {
      throw bad(`"${where}" names "${text.slice(0, 80)}", which is no network of IP addresses.`);
    }
    list.addSubnet(address, Number(bits ?? most), `ipv${version as 4 | 6}`);
  }
  return list;
}

function idOf(key: string): string {
  try {
    return parseTrackerKey(key).id;
  } catch (cause) {
    throw bad(`"${key.slice(0, 80)}" is no CID, /ipns/<key> or /ipns/<name>.`, cause);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw bad("The file is not JSON.", cause);
  }
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad(`"${where}" is not an object of JSON.`);
}

function only(value: object, known: string[], where: string): void {
  const stray = Object.keys(value).find((name) => !known.includes(name));
  if (stray !== undefined) throw bad(`"${where}" has "${stray}", which is no rule.`);
}

function bad(message: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_OPTION", `The rules cannot be read: ${message}`, {
    cause,
    hint: "docs/tracker-protocol.md shows a file of rules.",
  });
}
