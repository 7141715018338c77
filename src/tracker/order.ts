/** Whom an asker is told of, in which order, and at which addresses. Pure. */
import { type Distance, distanceTo, networkOf, plain } from "../routing/network.ts";
import type { Provider } from "./store.ts";

/** Whom was met so long ago counts as alive, in milliseconds. */
const ALIVE_MS = 60 * 60 * 1000;

/** How the field calls bitswap among the ways to get a block. */
const PROTOCOLS = `["transport-bitswap"]`;

/** Who asks, or announces. */
export interface Asker {
  /** An IP address. */
  ip: string;
  network: string;
  /** How far away it is. */
  near: Distance;
}

export function askerAt(ip: string): Asker {
  const address = plain(ip);
  return { ip: address, network: networkOf(address), near: distanceTo(address) };
}

/** Whether a peer announced from the asker's own network. */
export function isNear({ from }: Provider, { ip, network }: Asker): boolean {
  return from === ip || networkOf(from) === network;
}

/**
 * Those of the asker's own network first; of all, those that were met lately, then those that nobody dialled, then those that
 * were not there. Seeders and readers in turns: who only heard of seeders would never find the crowd.
 */
export function arrange(found: Provider[], asker: Asker, now: number): Provider[] {
  const classes: Provider[][] = [];
  for (const peer of found) {
    const own = isNear(peer, asker);
    const life = peer.met < 0 ? 2 : now - peer.met < ALIVE_MS ? 0 : 1;
    (classes[(own ? 0 : 3) + life] ??= []).push(peer);
  }
  return classes.flatMap((peers) =>
    inTurns(peers.filter(({ seeds }) => seeds), peers.filter(({ seeds }) => !seeds))
  );
}

/** JSON: the record of a peer for this asker, or undefined where it has no address that leads there. */
export function recordFor(
  { id, from, near, world, network, machine, seeds, seen }: Provider,
  asker: Pick<Asker, "ip" | "near">,
): string | undefined {
  const both = (distance: Distance) => near === distance && asker.near === distance;
  // Behind one public address there is one network; and a private address is on the tracker's own.
  const local = asker.near === "world" ? asker.ip === from : near !== "world";
  const addrs = [world, ...local ? [network] : [], ...both("machine") ? [machine] : []]
    .filter((members) => members !== "");
  if (addrs.length === 0) return undefined;
  return `{"Schema":"peer","ID":"${id}","Addrs":[${addrs.join(",")}],"Protocols":${PROTOCOLS},` +
    `${seeds === undefined ? "" : `"Seeder":${seeds},`}"LastSeen":${seen}}`;
}

function inTurns<T>(some: T[], others: T[]): T[] {
  const turns: T[] = [];
  for (let i = 0; i < Math.max(some.length, others.length); i++) {
    if (i < some.length) turns.push(some[i]!);
    if (i < others.length) turns.push(others[i]!);
  }
  return turns;
}
