/**
 * What the nodes of a computed crowd were told and have not looked at, all in one piece of memory. Most of it changes nothing
 * until a node has something to decide, and by then there is much of it.
 */

/** Letters of one node that lie together; with more of them all get more room. */
const ROOM = 64;

/** Bytes of a letter: its time (8), what it is and who wrote it (4), and of which block (4). */
const LETTER = 16;

export class Mail {
  #room = ROOM;
  #nodes: number;
  /** Where the letters of each node begin and end in its room, in the order of their times. */
  #firsts: Int32Array<ArrayBuffer>;
  #ends: Int32Array<ArrayBuffer>;
  #times: Float64Array<ArrayBuffer>;
  #contents: Int32Array<ArrayBuffer>;

  /** @param nodes how many there will hardly be more of */
  constructor(nodes: number) {
    this.#nodes = nodes;
    this.#firsts = new Int32Array(nodes);
    this.#ends = new Int32Array(nodes);
    [this.#times, this.#contents] = letters(nodes * ROOM);
  }

  /** Of letters that come at one moment those of one sender are in the order of posting; of two, one's are the first. */
  post(node: number, time: number, what: number, from: number, block: number): void {
    if (node >= this.#nodes) {
      this.#move(Math.max(node + 1, Math.ceil(this.#nodes * 1.25)), this.#room);
    }
    if (this.#ends[node] === this.#room) this.#makeRoom(node);
    const times = this.#times, contents = this.#contents;
    const first = node * this.#room + this.#firsts[node]!;
    let at = node * this.#room + this.#ends[node]!++;
    // Most come last, or nearly so.
    for (; at > first; at--) {
      const before = times[2 * at - 2]!;
      if (before < time || before === time && contents[4 * at - 2]! >> 4 <= from) break;
      times[2 * at] = times[2 * at - 2]!;
      contents[4 * at + 2] = contents[4 * at - 2]!;
      contents[4 * at + 3] = contents[4 * at - 1]!;
    }
    times[2 * at] = time;
    contents[4 * at + 2] = from << 4 | what;
    contents[4 * at + 3] = block;
  }

  /** Hands over what has come by now. */
  take(
    node: number,
    now: number,
    hear: (what: number, from: number, block: number, at: number) => void,
  ): void {
    const times = this.#times, contents = this.#contents;
    const end = node * this.#room + this.#ends[node]!;
    let at = node * this.#room + this.#firsts[node]!;
    for (; at < end && times[2 * at]! <= now; at++) {
      const content = contents[4 * at + 2]!;
      hear(content & 15, content >> 4, contents[4 * at + 3]!, times[2 * at]!);
    }
    if (at === end) this.#firsts[node] = this.#ends[node] = 0;
    else this.#firsts[node] = at - node * this.#room;
  }

  /** Looks at what will come later. */
  peek(node: number, look: (what: number, block: number, time: number) => void): void {
    if (node >= this.#nodes) return;
    const end = node * this.#room + this.#ends[node]!;
    for (let at = node * this.#room + this.#firsts[node]!; at < end; at++) {
      look(this.#contents[4 * at + 2]! & 15, this.#contents[4 * at + 3]!, this.#times[2 * at]!);
    }
  }

  /** Where it was read, or else everywhere. */
  #makeRoom(node: number): void {
    const first = this.#firsts[node]!;
    if (2 * first < this.#room) return this.#move(this.#nodes, this.#room * 2);
    const from = node * this.#room;
    this.#times.copyWithin(2 * from, 2 * (from + first), 2 * (from + this.#room));
    this.#firsts[node] = 0;
    this.#ends[node] = this.#room - first;
  }

  #move(nodes: number, room: number): void {
    const firsts = new Int32Array(nodes), ends = new Int32Array(nodes);
    const [times, contents] = letters(nodes * room);
    for (let node = 0; node < this.#nodes; node++) {
      const from = node * this.#room;
      const first = this.#firsts[node]!, end = this.#ends[node]!;
      times.set(this.#times.subarray(2 * (from + first), 2 * (from + end)), 2 * node * room);
      ends[node] = end - first;
    }
    [this.#nodes, this.#room, this.#firsts, this.#ends] = [nodes, room, firsts, ends];
    [this.#times, this.#contents] = [times, contents];
  }
}

function letters(count: number): [Float64Array<ArrayBuffer>, Int32Array<ArrayBuffer>] {
  const bytes = new ArrayBuffer(count * LETTER);
  return [new Float64Array(bytes), new Int32Array(bytes)];
}
