/** Whom a node of a computed crowd knows, and what it tells them. */
import type { Bits } from "../../../src/swarm/bits.ts";
import type { Agenda } from "./sim-agenda.ts";
import type { Interests } from "./sim-interests.ts";
import type { Mail } from "./sim-mail.ts";

/** Whoever has mail to look at is woken. */
export const WOKEN = 0;

/** What a node is told: a request with its level. */
export const ASKED = 0, CANCELLED = 3, HAS = 4, HEARD = 5, LEFT = 6;

/** What all nodes share. */
export interface Post {
  readonly agenda: Agenda;
  readonly mail: Mail;
  readonly interests: Interests;
}

export class Peers {
  readonly #post: Post;
  /** The nodes, by the numbers that they are called here; -1 for who left. */
  #nodes = new Int32Array(32).fill(-1);
  /** What they call us. */
  #calls = new Int32Array(32);
  /** How many there ever were, and how many are left. */
  #known = 0;
  #degree = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  /** How many are left. */
  get degree(): number {
    return this.#degree;
  }

  /** What the next one will be called. */
  get next(): number {
    return this.#known;
  }

  /** @returns what it is called */
  add(node: number, calls: number): number {
    const peer = this.#known++;
    if (peer === this.#nodes.length) {
      const [nodes, called] = [this.#nodes, this.#calls];
      this.#nodes = new Int32Array(2 * peer).fill(-1);
      this.#calls = new Int32Array(2 * peer);
      this.#nodes.set(nodes);
      this.#calls.set(called);
    }
    this.#nodes[peer] = node;
    this.#calls[peer] = calls;
    this.#degree++;
    return peer;
  }

  delete(peer: number): void {
    this.#nodes[peer] = -1;
    this.#degree--;
  }

  has(peer: number): boolean {
    return this.#nodes[peer]! >= 0;
  }

  includes(node: number): boolean {
    return this.#nodes.includes(node);
  }

  /** Looked at by the peer as soon as it comes. */
  tell(peer: number, time: number, what: number, block = 0): void {
    this.mention(peer, time, what, block);
    if (this.has(peer)) this.#post.agenda.plan(time, this.#nodes[peer]!, WOKEN);
  }

  /** Looked at with what the peer looks at next. */
  mention(peer: number, time: number, what: number, block = 0): void {
    const node = this.#nodes[peer]!;
    if (node >= 0) this.#post.mail.post(node, time, what, this.#calls[peer]!, block);
  }

  /** Looked at as soon as it comes while there is room on the peer's line. */
  ask(peer: number, time: number, level: number, block: number): void {
    const node = this.#nodes[peer]!;
    if (node >= 0 && this.#post.interests.serves(node)) this.tell(peer, time, ASKED + level, block);
    else this.mention(peer, time, ASKED + level, block);
  }

  /** Tells all that a block is here. Those that would ask for it at once look at it at once; or whoever is to. */
  announce(time: number, block: number, isAwaited: (peer: number) => boolean): void {
    for (let peer = 0; peer < this.#known; peer++) {
      const node = this.#nodes[peer]!;
      if (node < 0) continue;
      if (this.#post.interests.reads(node, block) || isAwaited(peer)) {
        this.tell(peer, time, HAS, block);
      } else this.mention(peer, time, HAS, block);
    }
  }

  /** Tells all that we leave. */
  leave(time: number): void {
    for (let peer = 0; peer < this.#known; peer++) this.tell(peer, time, LEFT);
  }

  /** Something happens to a peer, about a block. */
  plan(peer: number, time: number, what: number, block: number): void {
    const node = this.#nodes[peer]!;
    if (node >= 0) this.#post.agenda.plan(time, node, what, this.#calls[peer]!, block);
  }
}

/** Looks at what matters of a node's mail to come when it comes. */
export function watch(
  { agenda, mail, interests }: Post,
  node: number,
  { open, serves }: { open: Bits; serves: boolean },
): void {
  if (!interests.set(node, open, serves)) return;
  mail.peek(node, (what, block, time) => {
    if (what < CANCELLED ? interests.serves(node) : what === HAS && interests.reads(node, block)) {
      agenda.plan(time, node, WOKEN);
    }
  });
}
