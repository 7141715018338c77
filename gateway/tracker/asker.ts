/** Who asks a tracker. It decides what they are told, and how often they may ask. */
import { isIP } from "node:net";
import type { Context } from "hono";
import { includes } from "../../src/routing/network.ts";
import { type Asker, askerAt } from "../../src/tracker.ts";
import { clientOf } from "../distance.ts";
import { proxyList } from "../forwarded.ts";

/** Askers that are remembered, so that an address is taken apart once. */
const MAX_ASKERS = 10_000;

/** Where no server tells who asks, that is whoever embeds the tracker. */
const NOWHERE = "127.0.0.1";

export interface Client extends Asker {
  /** Whether a program of this machine asks, and for itself. */
  own: boolean;
}

/**
 * @param trusted addresses of reverse proxies, or their networks: theirs alone is the word of `X-Forwarded-For` believed
 * @throws {NethoodError} BAD_OPTION
 */
export function createClients(trusted: string[] = []): (c: Context) => Client {
  const proxies = proxyList(trusted);
  const known = new Map<string, Client>();

  return (c) => {
    const peer = clientOf(c) ?? NOWHERE;
    const passed = c.req.header("x-forwarded-for");
    const proxied = passed !== undefined && includes(proxies, peer);
    const ip = proxied ? farthest(passed) ?? peer : peer;
    const own = passed === undefined && c.req.header("forwarded") === undefined;
    const name = own ? ip : `${ip} for others`;
    let client = known.get(name);
    if (client === undefined) {
      const asker = askerAt(ip);
      client = { ...asker, own: own && asker.near === "machine" };
      if (known.size >= MAX_ASKERS) known.clear();
      known.set(name, client);
    }
    return client;
  };

  /** The last address that is not of a proxy of ours: whatever stands before it, the client may have written itself. */
  function farthest(list: string): string | undefined {
    const addresses = list.split(",").map((text) =>
      text.trim().replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1")
    );
    const address = addresses.findLast((address) => !includes(proxies, address));
    return address !== undefined && isIP(address) !== 0 ? address : undefined;
  }
}
