/**
 * What happens next in a computed crowd. Time goes in slices no longer than a message takes from one node to another, so that
 * nothing that one does in a slice reaches another in the same: each node goes through the whole slice at once, in the order of
 * its own times, and its memory is fetched once for it. The result is that of one queue for all.
 */

/** Who has something to do. What happens at one moment is told between `begin` and `end`. */
export interface Actor {
  begin(now: number): void;
  happen(what: number, from: number, block: number): void;
  end(): void;
  /** There is nothing more in this slice. */
  rest(): void;
}

/** The events of a slice, in the order of planning, a column for each thing to know of them: objects would be garbage. */
class Slice {
  size = 0;
  times = new Float64Array(256);
  actors = new Int32Array(256);
  whats = new Uint8Array(256);
  froms = new Int32Array(256);
  blocks = new Int32Array(256);
  /** The next event of the same actor, while they are sorted. */
  next = new Int32Array(256);

  grow(): void {
    this.times = copy(this.times, new Float64Array(this.size * 2));
    this.actors = copy(this.actors, new Int32Array(this.size * 2));
    this.froms = copy(this.froms, new Int32Array(this.size * 2));
    this.blocks = copy(this.blocks, new Int32Array(this.size * 2));
    this.whats = copy(this.whats, new Uint8Array(this.size * 2));
    this.next = copy(this.next, new Int32Array(this.size * 2));
  }
}

export class Agenda {
  /** Milliseconds. */
  readonly slice: number;
  readonly #actors: Actor[] = [];
  readonly #slices = new Map<number, Slice>();
  readonly #spare: Slice[] = [];
  /** The slice that is being gone through, and whose turn it is; -1 for nobody's. */
  #at = 0;
  #turn = -1;
  /** The events of whose turn it is, in the order of their times, and how many of them have happened. */
  readonly #events: number[] = [];
  #happened = 0;
  /** The first event of each actor, while they are sorted; -1 for none. */
  #first = new Int32Array(64).fill(-1);

  /** @param slice the least time that one actor's doing takes to reach another, in milliseconds */
  constructor(slice: number) {
    if (!(slice > 0)) throw new RangeError("Nothing is told in no time: give a delay above 0.");
    this.slice = slice;
  }

  /** @returns the number of the actor */
  add(actor: Actor): number {
    const number = this.#actors.push(actor) - 1;
    if (number >= this.#first.length) {
      this.#first = copy(this.#first, new Int32Array(2 * number).fill(-1));
    }
    return number;
  }

  plan(time: number, actor: number, what: number, from = 0, block = 0): void {
    const at = Math.floor(time / this.slice);
    let slice = this.#slices.get(at);
    if (slice === undefined) this.#slices.set(at, slice = this.#spare.pop() ?? new Slice());
    if (slice.size === slice.times.length) slice.grow();
    const i = slice.size++;
    slice.times[i] = time;
    slice.actors[i] = actor;
    slice.froms[i] = from;
    slice.blocks[i] = block;
    slice.whats[i] = what;
    if (this.#turn < 0) return;
    if (at > this.#at) return;
    if (actor !== this.#turn || at < this.#at) throw new Error("this reaches another too soon");
    this.#insert(slice, i);
  }

  /** Goes through the next slice. */
  run(): void {
    const slice = this.#slices.get(this.#at);
    if (slice !== undefined) {
      this.#runSlice(slice);
      this.#slices.delete(this.#at);
      slice.size = 0;
      this.#spare.push(slice);
    }
    this.#at++;
  }

  #runSlice(slice: Slice): void {
    const turns: number[] = [];
    for (let i = slice.size - 1; i >= 0; i--) {
      const actor = slice.actors[i]!;
      if (this.#first[actor]! < 0) turns.push(actor);
      slice.next[i] = this.#first[actor]!;
      this.#first[actor] = i;
    }
    for (const actor of turns) {
      this.#turn = actor;
      let i = this.#first[actor]!;
      this.#first[actor] = -1;
      for (; i >= 0; i = slice.next[i]!) this.#insert(slice, i);
      this.#take(this.#actors[actor]!, slice);
      this.#events.length = 0;
      this.#happened = 0;
    }
    this.#turn = -1;
  }

  #take(actor: Actor, slice: Slice): void {
    const events = this.#events;
    while (this.#happened < events.length) {
      const now = slice.times[events[this.#happened]!]!;
      actor.begin(now);
      do {
        const i = events[this.#happened++]!;
        actor.happen(slice.whats[i]!, slice.froms[i]!, slice.blocks[i]!);
      } while (
        this.#happened < events.length && slice.times[events[this.#happened]!] === now
      );
      actor.end();
    }
    actor.rest();
  }

  /** What happens at one moment is in an order that does not depend on that of planning. */
  #insert({ times, whats, froms }: Slice, event: number): void {
    const events = this.#events;
    const isBefore = (other: number) =>
      times[event]! - times[other]! || whats[event]! - whats[other]! ||
      froms[event]! - froms[other]!;
    let at = events.length;
    for (; at > this.#happened && isBefore(events[at - 1]!) < 0; at--) {
      events[at] = events[at - 1]!;
    }
    events[at] = event;
  }
}

function copy<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
