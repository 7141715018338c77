/** What happens next: events in the order of their times, and at one time in the order in which they were planned. */
export class Agenda<T> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #events: T[] = [];
  #planned = 0;

  get size(): number {
    return this.#events.length;
  }

  plan(time: number, event: T): void {
    let at = this.#events.length;
    const order = this.#planned++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, order, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, time, order, event);
  }

  next(): { time: number; event: T } | undefined {
    if (this.#events.length === 0) return undefined;
    const first = { time: this.#times[0]!, event: this.#events[0]! };
    const time = this.#times.pop()!, order = this.#orders.pop()!, event = this.#events.pop()!;
    const size = this.#events.length;
    if (size === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (
        child + 1 < size && this.#isBefore(this.#times[child + 1]!, this.#orders[child + 1]!, child)
      ) {
        child++;
      }
      if (this.#isBefore(time, order, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#set(at, time, order, event);
    return first;
  }

  #isBefore(time: number, order: number, other: number): boolean {
    const theirs = this.#times[other]!;
    return time < theirs || time === theirs && order < this.#orders[other]!;
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#times[from]!, this.#orders[from]!, this.#events[from]!);
  }

  #set(at: number, time: number, order: number, event: T): void {
    this.#times[at] = time;
    this.#orders[at] = order;
    this.#events[at] = event;
  }
}
