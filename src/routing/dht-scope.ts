/**
 * How far a DHT reaches, as with Kubo, which is in two of them: one of the local network, in which only addresses of such networks
 * are told, and one of the world, in which only those that anybody can dial are. The two speak protocols of two names, so that
 * they never mix: what is told at home stays there.
 */
import type { Multiaddr } from "@multiformats/multiaddr";
import { type Distance, distanceTo, isSomewhere } from "./network.ts";

/** IPFS's own, and that of local networks (go-libp2p-kad-dht, "dual"). */
const PROTOCOLS: Record<Distance, string> = {
  world: "/ipfs/kad/1.0.0",
  network: "/ipfs/lan/kad/1.0.0",
  machine: "/ipfs/lan/kad/1.0.0",
};

export interface Scope {
  /** As far as the farthest of the peers that it was made of. */
  reach: Distance;
  protocol: string;
  /** Those of some addresses that are told in it, and dialled when others tell them. */
  within(addresses: Multiaddr[]): Multiaddr[];
}

/** The scope of a DHT with peers at these addresses. */
export function scopeOf(addresses: Multiaddr[]): Scope {
  const all = addresses.map(distanceOf);
  const reach = all.includes("world") ? "world" : all.includes("network") ? "network" : "machine";
  const isWithin = (distance: Distance | undefined) =>
    distance === reach || reach === "machine" && distance === "network";
  return {
    reach,
    protocol: PROTOCOLS[reach],
    within: (addresses) => addresses.filter((address) => isWithin(distanceOf(address))),
  };
}

/** How far the host of an address is; undefined for "every interface", which is nowhere. Names are looked up by the world. */
function distanceOf(address: Multiaddr): Distance | undefined {
  const { name, value } = address.getComponents()[0]!;
  if (name !== "ip4" && name !== "ip6") return "world";
  const distance = distanceTo(value!);
  return distance === "world" && !isSomewhere(value!) ? undefined : distance;
}
