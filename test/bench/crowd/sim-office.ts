/**
 * Where what is sent to the nodes of one thread of a computed crowd is brought. Most of it changes nothing until a node has
 * something to decide, and waits for that; a node is woken for what it would do something about at once.
 */
import type { Bits } from "../../../src/swarm/bits.ts";
import { Agenda } from "./sim-agenda.ts";
import { Interests } from "./sim-interests.ts";
import { Mail } from "./sim-mail.ts";
import { CANCELLED, CARRIED, HAS } from "./sim-peers.ts";
import type { Post } from "./sim-post.ts";

/** What happens to a node: it has mail to look at, or a block is at its end of the line. */
export const WOKEN = 0, ARRIVED = 1;

export class Office {
  readonly agenda: Agenda;
  readonly mail: Mail;
  readonly post: Post;
  readonly #interests: Interests;

  /** @param slice the least time from sending to coming, in milliseconds */
  constructor(post: Post, slice: number, nodes: number, blocks: number) {
    this.post = post;
    this.agenda = new Agenda(slice);
    this.mail = new Mail(nodes);
    this.#interests = new Interests(nodes, blocks);
  }

  /** Goes through the next slice with our nodes. @returns the sums of what all threads say */
  run(says: [number, number]): [number, number] {
    this.agenda.run();
    return this.post.exchange(says, this.#bring);
  }

  /** Looks at what matters of a node's mail to come when it comes. */
  watch(node: number, { open, serves }: { open: Bits; serves: boolean }): void {
    if (!this.#interests.set(node, open, serves)) return;
    this.mail.peek(node, (what, block, time) => {
      if (this.#matters(node, what, block)) this.agenda.plan(time, node, WOKEN);
    });
  }

  readonly #bring = (
    id: number,
    time: number,
    what: number,
    from: number,
    block: number,
    wakes: boolean,
  ): void => {
    const node = Math.floor(id / this.post.threads);
    if (what === CARRIED) return this.agenda.plan(time, node, ARRIVED, from, block);
    this.mail.post(node, time, what, from, block);
    if (wakes || this.#matters(node, what, block)) this.agenda.plan(time, node, WOKEN);
  };

  /** Who has what it would ask for at once, or what is asked of it while there is room on its line. */
  #matters(node: number, what: number, block: number): boolean {
    if (what === HAS) return this.#interests.reads(node, block);
    return what < CANCELLED && this.#interests.serves(node);
  }
}
