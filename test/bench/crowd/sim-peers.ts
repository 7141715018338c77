/** Whom a node of a computed crowd knows, and what it tells them. */
import type { Post } from "./sim-post.ts";

/** What a node is told: a request with its level. */
export const ASKED = 0, CANCELLED = 3, HAS = 4, HEARD = 5, LEFT = 6, OPENED = 7;

/** A block is at the other end of the line: no letter, and looked at in its time. */
export const CARRIED = 8;

export class Peers {
  readonly #post: Post;
  /** The nodes, by the numbers that they are called here; -1 for who left. */
  #nodes = new Int32Array(32).fill(-1);
  /** What they call us. */
  #calls = new Int32Array(32);
  /** How many there ever were. */
  #known = 0;

  constructor(post: Post) {
    this.#post = post;
  }

  /** @returns what it is called: the next number */
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
    return peer;
  }

  delete(peer: number): void {
    this.#nodes[peer] = -1;
  }

  has(peer: number): boolean {
    return this.#nodes[peer]! >= 0;
  }

  /** @param wakes whether it is looked at as soon as it comes, even if there is nothing to do about it */
  tell(peer: number, time: number, what: number, block = 0, wakes = false): void {
    const node = this.#nodes[peer]!;
    if (node >= 0) this.#post.send(node, time, what, this.#calls[peer]!, block, wakes);
  }

  /** Tells all that a block is here. */
  announce(time: number, block: number, isAwaited: (peer: number) => boolean): void {
    for (let peer = 0; peer < this.#known; peer++) {
      this.tell(peer, time, HAS, block, isAwaited(peer));
    }
  }

  /** Tells all that we leave. */
  leave(time: number): void {
    for (let peer = 0; peer < this.#known; peer++) this.tell(peer, time, LEFT, 0, true);
  }
}
