/** Judges the frames of one side of a stream by those that came before: what a frame alone does not tell. */
import type { Frame } from "./frame.ts";
import { MAX_GROUPS, WireError } from "./limits.ts";
import type { BlockHeader } from "./parse.ts";

export class Conversation {
  #greeted = false;
  /** The groups that the sender has open, by its own numbers, and how many members it says they have. */
  readonly #groups = new Map<number, number>();
  /** The block that is being sent, and where its next part begins. */
  #block: { group: number; index: number; size: number; next: number } | undefined;

  /** @throws {WireError} where the sender may not send this frame now */
  check(frame: Frame): void {
    if (frame.type === "hello") return this.#greet();
    if (frame.type === "block") return this.checkPart(frame, frame.data.length);
    if (frame.type === "open") {
      this.#checkGreeted(frame);
      return this.#open(frame.group, frame.count);
    }
    const count = this.#countOf(frame);
    if (frame.type === "close") return this.#close(frame.group);
    checkIndex(frame.indices.at(-1)!, count);
  }

  /** The same for a BLOCK, of whose data only the length need be known. */
  checkPart(header: BlockHeader, dataLength: number): void {
    checkIndex(header.index, this.#countOf(header));
    this.#part(header, dataLength);
  }

  #checkGreeted({ type }: { type: string }): void {
    if (!this.#greeted) throw new WireError(`${type} before hello`);
  }

  /** How many members the sender says the group of a frame has. */
  #countOf(frame: { type: string; group: number }): number {
    this.#checkGreeted(frame);
    const count = this.#groups.get(frame.group);
    if (count === undefined) throw new WireError(`group ${frame.group}, which is not open`);
    return count;
  }

  #greet(): void {
    if (this.#greeted) throw new WireError("a second hello");
    this.#greeted = true;
  }

  #open(group: number, count: number): void {
    if (this.#groups.has(group)) throw new WireError(`group ${group}, which is open already`);
    if (this.#groups.size === MAX_GROUPS) throw new WireError(`more than ${MAX_GROUPS} groups`);
    this.#groups.set(group, count);
  }

  #close(group: number): void {
    this.#groups.delete(group);
    if (this.#block?.group === group) this.#block = undefined;
  }

  /** Offset 0 begins a block, whatever came before; every other part goes on with the one that was begun. */
  #part({ group, index, offset, size }: BlockHeader, dataLength: number): void {
    const { next } = offset === 0 ? { next: 0 } : this.#expected(group, index, size);
    if (offset !== next) throw new WireError(`a part at ${offset} where ${next} is next`);
    const end = offset + dataLength;
    this.#block = end === size ? undefined : { group, index, size, next: end };
  }

  #expected(group: number, index: number, size: number): { next: number } {
    const block = this.#block;
    if (block === undefined) throw new WireError("a part of a block that was not begun");
    if (block.group !== group || block.index !== index) {
      throw new WireError("a part of another block than the one that was begun");
    }
    if (block.size !== size) throw new WireError("a block that changes its size");
    return block;
  }
}

function checkIndex(index: number, count: number): void {
  if (count > 0 && index >= count) {
    throw new WireError(`index ${index} of a group of ${count} members`);
  }
}
