/**
 * Who is near: peers found on the local network by mDNS, peers a person named, and peers met before. All are dialled without
 * being asked; the named ones again and again.
 */
import type { Libp2p, Peer, PeerId, PeerInfo } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { NethoodError } from "../errors.ts";
import { createPauses } from "../pause.ts";
import type { Lan } from "../swarm/host.ts";

/** Waits between attempts to reach a named peer, in milliseconds; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];

/** Peers met before that are dialled at a start, most. */
const MAX_REMEMBERED = 20;

/** With more than this nobody else is looked for. */
const MAX_NEIGHBOURS = 50;

/** Peers whose absence was told; a local network has fewer. */
const MAX_ABSENT = 1_000;

/** What an address must have one of to be of use: a port, or the peer's ID under which mDNS may find it. */
const DIALLED = ["tcp", "udp", "p2p"];

/** How long a local network may take to answer at a start, in milliseconds: WiFi holds a multicast for three beacons of 100. */
const LAN_MS = 300;

/** libp2p's peer store keeps this mark, so that a restarted node finds its neighbours again. */
const MET = "nethood-neighbour";

export interface Neighbours {
  /**
   * Resolves as soon as a peer is connected, or after `ms` milliseconds; true if there is one.
   *
   * @param options.expected whether only those are waited for who are on their way: who is dialled, and, after a start, who
   * may yet answer on the local network. Default: false, whoever comes by.
   */
  some(
    ms: number,
    options?: { signal?: AbortSignal | undefined; expected?: boolean | undefined },
  ): Promise<boolean>;
  stop(): void;
}

/** @throws {NethoodError} BAD_OPTION for a named address that is none */
export function parsePeer(text: string): Multiaddr {
  let cause: unknown;
  try {
    const address = multiaddr(text);
    // A host without a port is nobody that could be dialled.
    if (address.getComponents().some(({ name }) => DIALLED.includes(name))) return address;
  } catch (error) {
    cause = error;
  }
  throw new NethoodError("BAD_OPTION", `"${text}" is not a peer's address.`, {
    cause,
    hint:
      "Use one that the other node printed at its start, such as /ip4/192.168.1.5/tcp/4001/p2p/12D3Koo….",
  });
}

export function createNeighbours(
  libp2p: Libp2p<{ mdns?: Lan }>,
  { peers = [], log = () => undefined }: { peers?: Multiaddr[]; log?: (line: string) => void },
): Neighbours {
  const over = new AbortController();
  const { signal } = over;
  /** Whose absence was told: one that stays away is mentioned once. */
  const absent = new Set<string>();
  /** How much is under way that may end with a peer, and who is told when nothing is. */
  let underway = 0;
  const waiting = new Set<() => void>();

  const { mdns } = libp2p.services;
  mdns?.addEventListener("peer", ({ detail }) => greet(detail), { signal });
  for (const peer of mdns?.early() ?? []) greet(peer);
  if (mdns) void expect(createPauses(signal).pause(LAN_MS)); // It was asked when the host started.
  libp2p.addEventListener("peer:connect", ({ detail }) => void remember(detail), { signal });
  for (const address of peers) void hold(address);
  void expect(again());

  return {
    some(ms, { signal: outer, expected = false } = {}) {
      if (libp2p.getPeers().length > 0) return Promise.resolve(true);
      if (signal.aborted || outer?.aborted) return Promise.resolve(false);
      if (expected && underway === 0) return Promise.resolve(false);
      return new Promise((resolve) => {
        const done = new AbortController();
        const end = (found: boolean) => {
          clearTimeout(timer);
          done.abort();
          waiting.delete(nobody);
          resolve(found);
        };
        const nobody = () => end(false);
        if (expected) waiting.add(nobody);
        const timer = setTimeout(end, ms, false);
        libp2p.addEventListener("peer:connect", () => end(true), { signal: done.signal });
        for (const s of [signal, outer]) {
          s?.addEventListener("abort", () => end(false), { signal: done.signal });
        }
      });
    },
    stop: () => over.abort(),
  };

  /** Dials who answered on the local network: every time, since one that went away comes back, and with another port. */
  function greet({ id, multiaddrs }: PeerInfo): void {
    if (multiaddrs.length === 0 || libp2p.getConnections(id).length > 0) return;
    if (talking(libp2p) >= MAX_NEIGHBOURS) return;
    void reach(String(id), multiaddrs.map((address) => address.encapsulate(`/p2p/${id}`)));
  }

  async function expect<T>(work: Promise<T>): Promise<T> {
    underway++;
    try {
      return await work;
    } finally {
      if (--underway === 0) { for (const nobody of waiting) nobody(); }
    }
  }

  /** One attempt; failures are ordinary (a neighbour went home). Whom it reached, if anybody. */
  async function reach(
    name: string,
    to: PeerId | Multiaddr | Multiaddr[],
  ): Promise<PeerId | undefined> {
    try {
      const { remotePeer } = await expect(libp2p.dial(to, { signal }));
      absent.delete(name);
      return remotePeer;
    } catch (error) {
      if (signal.aborted || absent.has(name)) return;
      if (absent.size < MAX_ABSENT) absent.add(name);
      log(`${name} did not answer: ${sentence(error)}`);
    }
  }

  /** Keeps a named peer connected for as long as the node runs. */
  async function hold(address: Multiaddr): Promise<void> {
    const name = address.toString();
    // An address may leave open who is there.
    let id = name.split("/p2p/").at(-1);
    for (let failures = 0; !signal.aborted;) {
      // Not `getPeers`, which makes a new ID of each, time and again.
      const isHere = libp2p.getConnections().some((there) => there.remotePeer.toString() === id);
      if (isHere) failures = 0;
      else {
        const reached = await reach(name, address);
        if (reached === undefined) failures++;
        else id = reached.toString();
      }
      await createPauses(signal).pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!);
    }
  }

  /** Dials the neighbours of the last run. */
  async function again(): Promise<void> {
    const met = await note(() =>
      libp2p.peerStore.all({
        limit: MAX_REMEMBERED,
        filters: [({ tags }: Peer) => tags.has(MET)],
      })
    );
    await Promise.all((met ?? []).map(({ id }) => reach(String(id), id)));
  }

  async function remember(id: PeerId): Promise<void> {
    absent.delete(id.toString());
    await note(() => libp2p.peerStore.merge(id, { tags: { [MET]: { value: 1 } } }));
  }

  /** Work on the peer store: nobody waits for it, and the node may be stopping. */
  async function note<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) log(`The list of known peers failed: ${sentence(error)}`);
    }
  }
}

/** Peers with whom something is under way: of a large DHT many are connected who were asked once, and take nobody's place. */
export function talking(libp2p: Pick<Libp2p, "getConnections">): number {
  const busy = libp2p.getConnections().filter(({ streams }) => streams.length > 0);
  return new Set(busy.map(({ remotePeer }) => remotePeer.toString())).size;
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
