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
  /** How many letters each node has. */
  #counts: Int32Array<ArrayBuffer>;
  #times: Float64Array<ArrayBuffer>;
  #contents: Int32Array<ArrayBuffer>;

  /** @param nodes how many there will hardly be more of */
  constructor(nodes: number) {
    this.#nodes = nodes;
    this.#counts = new Int32Array(nodes);
    [this.#times, this.#contents] = letters(nodes * ROOM);
  }

  post(node: number, time: number, what: number, from: number, block: number): void {
    if (node >= this.#nodes) {
      this.#move(Math.max(node + 1, Math.ceil(this.#nodes * 1.25)), this.#room);
    }
    if (this.#counts[node] === this.#room) this.#move(this.#nodes, this.#room * 2);
    const at = node * this.#room + this.#counts[node]!++;
    this.#times[2 * at] = time;
    this.#contents[4 * at + 2] = from << 4 | what;
    this.#contents[4 * at + 3] = block;
  }

  /** Hands over what has come by now. */
  take(
    node: number,
    now: number,
    hear: (what: number, from: number, block: number, at: number) => void,
  ): void {
    const times = this.#times, contents = this.#contents;
    const first = node * this.#room;
    const end = first + this.#counts[node]!;
    let left = first;
    for (let at = first; at < end; at++) {
      const time = times[2 * at]!, content = contents[4 * at + 2]!, block = contents[4 * at + 3]!;
      if (time <= now) hear(content & 15, content >> 4, block, time);
      else {
        times[2 * left] = time;
        contents[4 * left + 2] = content;
        contents[4 * left++ + 3] = block;
      }
    }
    this.#counts[node] = left - first;
  }

  /** Looks at what will come later. */
  peek(node: number, look: (what: number, block: number, time: number) => void): void {
    const first = node * this.#room;
    for (let at = first; at < first + (this.#counts[node] ?? 0); at++) {
      look(this.#contents[4 * at + 2]! & 15, this.#contents[4 * at + 3]!, this.#times[2 * at]!);
    }
  }

  #move(nodes: number, room: number): void {
    const counts = new Int32Array(nodes);
    const [times, contents] = letters(nodes * room);
    counts.set(this.#counts);
    for (let node = 0; node < this.#nodes; node++) {
      const from = node * this.#room;
      const size = this.#counts[node]!;
      times.set(this.#times.subarray(2 * from, 2 * (from + size)), 2 * node * room);
    }
    [this.#nodes, this.#room] = [nodes, room];
    [this.#counts, this.#times, this.#contents] = [counts, times, contents];
  }
}

function letters(count: number): [Float64Array<ArrayBuffer>, Int32Array<ArrayBuffer>] {
  const bytes = new ArrayBuffer(count * LETTER);
  return [new Float64Array(bytes), new Int32Array(bytes)];
}
