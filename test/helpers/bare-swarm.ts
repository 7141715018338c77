/** The swarm alone on a libp2p host, over blocks in memory that can be held up or made to fail. */
import { connectSwarm } from "../../src/swarm/connect.ts";
import type { Host } from "../../src/swarm/host.ts";
import type { Swarm } from "../../src/swarm/swarm.ts";
import type { SwarmStore } from "../../src/swarm/shelf.ts";
import type { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { createBareHost } from "./bare-host.ts";

export interface BareSwarm extends AsyncDisposable {
  readonly id: string;
  readonly addresses: string[];
  readonly swarm: Swarm;
  readonly log: string[];
  readonly banned: string[];
  readonly blocks: Map<string, Uint8Array>;
  /** What the store does first; may wait, or throw. */
  before: { read(cid: CID): Promise<void> | void; put(cid: CID): Promise<void> | void };
}

export async function createBareSwarm(): Promise<BareSwarm> {
  const libp2p = await createBareHost();
  const log: string[] = [];
  const banned: string[] = [];
  const blocks = new Map<string, Uint8Array>();
  const before: BareSwarm["before"] = { read() {}, put() {} };
  const key = (cid: CID) => cid.multihash.bytes.join();
  const store: SwarmStore = {
    async read(cid) {
      await before.read(cid);
      return blocks.get(key(cid));
    },
    holds: (cid) => Promise.resolve(blocks.has(key(cid))),
    async put(cid, bytes) {
      await before.put(cid);
      blocks.set(key(cid), bytes);
      return cid;
    },
  };
  const connected = await connectSwarm(libp2p as Host, {
    store,
    async matches(cid, bytes) {
      const { digest } = await sha256.digest(bytes);
      return digest.join() === cid.multihash.digest.join();
    },
    ban: (peer, why) => banned.push(`${peer} ${why}`),
    met: () => {},
    log: (line) => log.push(line),
  });
  return {
    id: libp2p.peerId.toString(),
    get addresses() {
      return libp2p.getMultiaddrs().map(String);
    },
    swarm: connected.swarm,
    log,
    banned,
    blocks,
    before,
    async [Symbol.asyncDispose]() {
      await connected.stop();
      await libp2p.stop();
    },
  };
}
