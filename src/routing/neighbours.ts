/**
 * Who is near: peers found on the local network by mDNS, peers a person named, and peers met before. All are dialled without
 * being asked; the named ones again and again.
 */
import type { Libp2p, Peer, PeerId } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import { NethoodError } from "../errors.ts";

/** Waits between attempts to reach a named peer, in milliseconds; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];

/** Peers met before that are dialled at a start, most. */
const MAX_REMEMBERED = 20;

/** More connections than this are not looked for. */
const MAX_NEIGHBOURS = 50;

/** What an address must have one of to be of use: a port, or the peer's ID under which mDNS may find it. */
const DIALLED = ["tcp", "udp", "p2p"];

/** libp2p's peer store keeps this mark, so that a restarted node finds its neighbours again. */
const MET = "nethood-neighbour";

export interface Neighbours {
  /** Resolves as soon as a peer is connected, or after `ms` milliseconds; true if there is one. */
  some(ms: number, signal?: AbortSignal): Promise<boolean>;
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
  libp2p: Libp2p,
  { peers = [], log = () => undefined }: { peers?: Multiaddr[]; log?: (line: string) => void },
): Neighbours {
  const over = new AbortController();
  const { signal } = over;

  libp2p.addEventListener("peer:discovery", ({ detail }) => {
    if (libp2p.getPeers().length < MAX_NEIGHBOURS) void reach(detail.id);
  }, { signal });
  libp2p.addEventListener("peer:connect", ({ detail }) => void remember(detail), { signal });
  for (const address of peers) void hold(address);
  void again();

  return {
    some(ms, outer) {
      if (libp2p.getPeers().length > 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = new AbortController();
        const end = (found: boolean) => {
          clearTimeout(timer);
          done.abort();
          resolve(found);
        };
        const timer = setTimeout(end, ms, false);
        libp2p.addEventListener("peer:connect", () => end(true), { signal: done.signal });
        for (const s of [signal, outer]) {
          s?.addEventListener("abort", () => end(false), { signal: done.signal });
        }
      });
    },
    stop: () => over.abort(),
  };

  /** One attempt; failures are ordinary (a neighbour went home) and only logged. */
  async function reach(to: PeerId | Multiaddr): Promise<void> {
    try {
      await libp2p.dial(to, { signal });
    } catch (error) {
      if (!signal.aborted) {
        log(`${to} did not answer: ${error instanceof Error ? error.message : error}`);
      }
    }
  }

  /** Keeps a named peer connected for as long as the node runs. */
  async function hold(address: Multiaddr): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const connected = libp2p.getConnections().some(({ remoteAddr, remotePeer }) =>
        remoteAddr.equals(address) || address.toString().endsWith(`/p2p/${remotePeer}`)
      );
      if (connected) failures = 0;
      else {
        await reach(address);
        failures++;
      }
      await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!, signal);
    }
  }

  /** Dials the neighbours of the last run. */
  async function again(): Promise<void> {
    const met = await libp2p.peerStore.all({
      limit: MAX_REMEMBERED,
      filters: [({ tags }: Peer) => tags.has(MET)],
    });
    await Promise.all(met.map(({ id }) => reach(id)));
  }

  async function remember(id: PeerId): Promise<void> {
    try {
      await libp2p.peerStore.merge(id, { tags: { [MET]: { value: 1 } } });
    } catch (error) {
      // A full disk, or a stop in this moment: the next start will not dial this one, and that is all.
      log(`${id} could not be written down: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
