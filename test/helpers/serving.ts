/** A server of blocks whose readers are only told of: what its uploads decide, written down. */
import type { Level } from "../../src/swarm/frame.ts";
import { Holdings } from "../../src/swarm/holdings.ts";
import { Uploads } from "../../src/swarm/uploads.ts";
import { createRandom } from "./random.ts";

/** Bytes of a block. */
export const SIZE: number = 64 * 1024;

/** More than anybody can have on the way, in bytes. */
export const WIDE: number = 1_000 * SIZE;

/** A server of blocks that are all of one size. */
export class Server {
  readonly holdings: Holdings = new Holdings();
  readonly uploads: Uploads;
  now = 0;

  constructor(peers: number[] = [1, 2, 3], seed = 1) {
    const random = createRandom(seed);
    this.uploads = new Uploads(this.holdings, () => random.int(2 ** 32) / 2 ** 32);
    for (const peer of peers) this.meet(peer);
  }

  /** @param stranger whether it has given us nothing, as nobody has given a seeder anything */
  meet(peer: number, stranger = false): void {
    this.holdings.join(peer);
    this.holdings.believe(peer, !stranger);
    this.uploads.join(peer);
  }

  request(peer: number, blocks: number[], level: Level = 0): void {
    for (const block of blocks) this.uploads.request(peer, block, level, this.now);
  }

  /** Sends what is to be sent next, if anything. @returns `PEER BLOCK` */
  send(window: number = WIDE): string | undefined {
    const upload = this.uploads.next(this.now, window);
    if (upload === undefined) return undefined;
    this.uploads.sent(upload.peer, upload.block, SIZE, this.now);
    return `${upload.peer} ${upload.block}`;
  }

  /** Sends all that may be on the way. */
  sendAll(window: number = WIDE): string[] {
    const sent: string[] = [];
    for (let one = this.send(window); one !== undefined; one = this.send(window)) sent.push(one);
    return sent;
  }

  /** A peer has got a block. */
  acknowledge(peer: number, block: number, whole = true): boolean {
    this.holdings.add(peer, block);
    return this.uploads.acknowledged(peer, block, this.now, whole) !== undefined;
  }
}
