/** A reader whose peers are only told of: what its scheduler decides, written down. */
import { Holdings } from "../../src/swarm/holdings.ts";
import { Scheduler } from "../../src/swarm/scheduler.ts";
import { createRandom } from "./random.ts";

export interface PeerOptions {
  has?: Iterable<number>;
  seeder?: boolean;
  /** Reads what we read. Default: unless it is a seeder. */
  fellow?: boolean;
  /** Has given nothing yet. */
  stranger?: boolean;
}

export class Reader {
  readonly holdings: Holdings = new Holdings();
  readonly scheduler: Scheduler;
  now = 0;

  constructor(seed = 1) {
    const random = createRandom(seed);
    this.scheduler = new Scheduler(this.holdings, () => random.int(2 ** 32) / 2 ** 32);
  }

  meet(
    peer: number,
    { has = [], seeder = false, fellow = !seeder, stranger = false }: PeerOptions = {},
  ): void {
    this.holdings.join(peer, seeder);
    this.holdings.believe(peer, !stranger);
    this.scheduler.join(peer);
    this.scheduler.fellow(peer, fellow);
    for (const block of has) this.offer(peer, block);
  }

  part(peer: number): void {
    this.scheduler.leave(peer);
    this.holdings.leave(peer);
  }

  offer(peer: number, block: number): void {
    if (this.holdings.add(peer, block)) this.scheduler.offered(peer, block);
  }

  /** Wants blocks; the awaited ones in this order. */
  want(blocks: Iterable<number>, awaited: readonly number[] = []): void {
    for (const block of blocks) this.scheduler.want(block, false);
    for (const block of awaited) this.scheduler.want(block, true);
  }

  /** Bytes of a block come from a peer. */
  hear(peer: number, block: number): void {
    this.scheduler.heard(peer, block, this.now);
  }

  /** Lets time pass as a node does, and those send who are said to. @returns what was decided meanwhile */
  pass(ms: number, sending: readonly [peer: number, block: number][] = []): string[] {
    const told: string[] = [];
    for (const end = this.now + ms; this.now < end;) {
      this.now += Math.min(250, end - this.now);
      for (const [peer, block] of sending) this.hear(peer, block);
      this.scheduler.tick(this.now);
      told.push(...this.decide());
    }
    return told;
  }

  /** What is decided now, each in the form `ask PEER BLOCK LEVEL` or `cancel PEER BLOCK`. */
  decide(): string[] {
    return this.scheduler.decide(this.now).map((decision) =>
      "ask" in decision
        ? `ask ${decision.ask} ${decision.block} ${decision.level}`
        : `cancel ${decision.cancel} ${decision.block}`
    );
  }
}

/** Numbers from one up to, but not, another one. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The blocks that a peer is asked for, in the order of asking. */
export function asked(decisions: string[], peer: number): number[] {
  return decisions.filter((line) => line.startsWith(`ask ${peer} `)).map((line) =>
    +line.split(" ")[2]!
  );
}
