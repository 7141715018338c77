/**
 * Who is there in a computed crowd, and who knows whom. Every thread keeps the whole of it, and so it is decided everywhere at
 * once, and alike.
 */

/** Most connections of one node, as src/routing/neighbours.ts keeps them. */
const MAX_NEIGHBOURS = 50;

/** Whom a tracker names to a reader that comes: any of those who are there, in no order. */
const CHOSEN = 10;

/** The seeder's number; readers are numbered as they come. */
export const SEEDER = 0;

/** Two come to know each other: who they are, and what each is called by the other. */
export type OnMeet = (one: number, other: number, calls: { one: number; other: number }) => void;

export class Acquaintances {
  /** Those who are there. */
  here: number[] = [SEEDER];
  readonly #random: () => number;
  readonly #onMeet: OnMeet;
  /** Of each node those it knows, and how many it ever knew; who left knows nobody. */
  readonly #known: Set<number>[] = [new Set()];
  readonly #counts: number[] = [0];
  readonly #gone = new Set<number>();

  constructor(random: () => number, onMeet: OnMeet) {
    this.#random = random;
    this.#onMeet = onMeet;
  }

  isGone(node: number): boolean {
    return this.#gone.has(node);
  }

  /** Any of those who are there, or left a moment ago. */
  any(): number {
    return this.here[Math.floor(this.#random() * this.here.length)]!;
  }

  /**
   * So many come at once. Each asks the seeder, if that takes it, and those whom a tracker names, of all who are there.
   *
   * @param onCome told of each before it comes to know anybody
   */
  come(count: number, onCome: (node: number) => void): number[] {
    const coming = Array.from({ length: count }, () => {
      this.#counts.push(0);
      return this.#known.push(new Set()) - 1;
    });
    for (const node of coming) onCome(node);
    this.here.push(...coming);
    for (const node of coming) {
      this.#meet(node, SEEDER);
      if (this.here.length <= CHOSEN + 1) {
        for (const other of this.here) this.#meet(node, other);
      }
      for (let tries = 0, met = 0; met < CHOSEN && tries < 2 * CHOSEN; tries++) {
        if (this.#meet(node, this.any())) met++;
      }
    }
    return coming;
  }

  leave(node: number): void {
    this.#gone.add(node);
    for (const other of this.#known[node]!) this.#known[other]!.delete(node);
    this.#known[node]!.clear();
  }

  /** Those who left are there no more. */
  tidy(): void {
    this.here = this.here.filter((node) => !this.isGone(node));
  }

  /** @returns whether they know each other from now on, and did not before */
  #meet(one: number, other: number): boolean {
    const ours = this.#known[one]!, theirs = this.#known[other]!;
    if (one === other || this.isGone(other) || ours.has(other)) return false;
    if (ours.size >= MAX_NEIGHBOURS || theirs.size >= MAX_NEIGHBOURS) return false;
    ours.add(other);
    theirs.add(one);
    this.#onMeet(one, other, { one: this.#counts[other]!++, other: this.#counts[one]!++ });
    return true;
  }
}
