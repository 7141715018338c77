/**
 * What the nodes of a computed crowd send to each other. All of it is gathered while time goes through a slice, and brought to
 * those it is for at the end, before which nothing is due. So the threads that a crowd is computed by need to meet once a slice,
 * and the result is the same however many they are.
 */

/** Letters between two threads in a slice: so many, and for each node so many more. A crowd that comes introduces itself at once. */
const ROOM = 65_536, ROOM_OF_NODE = 16;

/** Bytes of a letter: its time (8), whom it is for, what it is and who wrote it, of which block, whether it wakes (4 each). */
const LETTER = 24;

/** Places in the memory for meeting: how many have come, how often all had, and then for each slice of two what everybody says. */
const CAME = 0, ROUND = 1, FIRST = 2;

/** How many numbers each thread tells the others. */
const SAID = 2;

/** What threads share. */
export interface Shared {
  threads: number;
  /** By slice (of two in turn), sender and receiver. */
  letters: SharedArrayBuffer[];
  /** For meeting. */
  meeting: SharedArrayBuffer;
}

export type Bring = (
  node: number,
  time: number,
  what: number,
  from: number,
  block: number,
  wakes: boolean,
) => void;

export function createShared(threads: number, nodes: number): Shared {
  const bytes = (ROOM + ROOM_OF_NODE * nodes) * LETTER;
  return {
    threads,
    letters: Array.from({ length: 2 * threads * threads }, () => new SharedArrayBuffer(bytes)),
    // For each slice: of each thread what it says, and how many letters it has for each.
    meeting: new SharedArrayBuffer(4 * (FIRST + 2 * threads * (SAID + threads))),
  };
}

export class Post {
  readonly threads: number;
  readonly #self: number;
  readonly #meeting: Int32Array<SharedArrayBuffer>;
  readonly #times: Float64Array<SharedArrayBuffer>[];
  readonly #contents: Int32Array<SharedArrayBuffer>[];
  /** Letters for each thread. */
  readonly #counts: Int32Array<ArrayBuffer>;
  /** Which of the two slices it is. */
  #turn = 0;

  /** @param self which of the threads this is */
  constructor({ threads, letters, meeting }: Shared, self: number) {
    this.threads = threads;
    this.#self = self;
    this.#meeting = new Int32Array(meeting);
    this.#times = letters.map((bytes) => new Float64Array(bytes));
    this.#contents = letters.map((bytes) => new Int32Array(bytes));
    this.#counts = new Int32Array(threads);
  }

  /** Whether a node is computed by this thread. */
  isOurs(node: number): boolean {
    return node % this.threads === this.#self;
  }

  /** @param wakes whether it is to be looked at as soon as it comes, whatever else */
  send(node: number, time: number, what: number, from: number, block: number, wakes = false): void {
    const to = node % this.threads;
    const bag = this.#bag(this.#self, to);
    const at = this.#counts[to]!++;
    const times = this.#times[bag]!, contents = this.#contents[bag]!;
    if (3 * at >= times.length) throw new Error("There are more letters in a slice than it holds.");
    times[3 * at] = time;
    contents[6 * at + 2] = node;
    contents[6 * at + 3] = from << 4 | what;
    contents[6 * at + 4] = block;
    contents[6 * at + 5] = Number(wakes);
  }

  /**
   * The slice is over: waits for the other threads, and brings what all have sent to nodes of ours.
   *
   * @param says what this thread tells the others, in whole numbers
   * @returns the sums of what all say
   */
  exchange(says: [number, number], bring: Bring): [number, number] {
    const { threads } = this;
    const meeting = this.#meeting;
    const place = (thread: number) => FIRST + (this.#turn * threads + thread) * (SAID + threads);
    meeting.set(says, place(this.#self));
    meeting.set(this.#counts, place(this.#self) + SAID);
    this.#counts.fill(0);
    if (threads > 1) this.#meet();
    const sums: [number, number] = [0, 0];
    for (let thread = 0; thread < threads; thread++) {
      sums[0] += meeting[place(thread)]!;
      sums[1] += meeting[place(thread) + 1]!;
      this.#open(this.#bag(thread, this.#self), meeting[place(thread) + SAID + this.#self]!, bring);
    }
    // What is not read yet is of this turn: nobody comes to write over it before all have met once more.
    this.#turn = 1 - this.#turn;
    return sums;
  }

  #open(bag: number, count: number, bring: Bring): void {
    const times = this.#times[bag]!, contents = this.#contents[bag]!;
    for (let at = 0; at < count; at++) {
      const content = contents[6 * at + 3]!;
      bring(
        contents[6 * at + 2]!,
        times[3 * at]!,
        content & 15,
        content >> 4,
        contents[6 * at + 4]!,
        contents[6 * at + 5]! !== 0,
      );
    }
  }

  #bag(from: number, to: number): number {
    return (this.#turn * this.threads + from) * this.threads + to;
  }

  /** Waits until all threads have come so far. */
  #meet(): void {
    const meeting = this.#meeting;
    const round = Atomics.load(meeting, ROUND);
    if (Atomics.add(meeting, CAME, 1) === this.threads - 1) {
      Atomics.store(meeting, CAME, 0);
      Atomics.add(meeting, ROUND, 1);
      Atomics.notify(meeting, ROUND);
      return;
    }
    while (Atomics.load(meeting, ROUND) === round) Atomics.wait(meeting, ROUND, round);
  }
}
