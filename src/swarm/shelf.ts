/** The groups that are talked about, and what of them is here. */
import type { CID } from "multiformats/cid";
import { canLink } from "../content/document.ts";
import { Bits } from "./bits.ts";
import { type Group, Groups, isInline, memberLinks } from "./groups.ts";
import { keyOf } from "../store/blocks.ts";
import type { BlockNumber } from "./holdings.ts";

/** Nodes handed to readers lately, whose links may be asked for next. */
const MAX_HANDED = 64;

/** Members looked for on the disk at once. */
const LOOKS = 64;

/** What the swarm needs of the store. */
export interface SwarmStore {
  read(cid: CID): Promise<Uint8Array | undefined>;
  /** Whether the block is on disk, without reading it. */
  holds(cid: CID): Promise<boolean>;
  put(cid: CID, block: Uint8Array): Promise<CID>;
}

interface Handed {
  cid: CID;
  block: Uint8Array;
  /** Keys of what it links to, once they were asked for. */
  links?: Set<string>;
}

export class Shelf {
  readonly groups: Groups = new Groups();
  /** Blocks with a number that are in the store. */
  readonly here: Bits = new Bits();
  /** Blocks that were offered and are here no more: who asks for one may not know yet. */
  readonly lost: Bits = new Bits();
  readonly #store: SwarmStore;
  readonly #ready = new WeakMap<Group, Promise<void>>();
  readonly #handed = new Map<string, Handed>();

  constructor(store: SwarmStore) {
    this.#store = store;
  }

  /** A node was handed to a reader, who may ask next for what it links to. */
  handed(cid: CID, block: Uint8Array): void {
    const key = cid.toString();
    if (this.#handed.get(key)?.block === block) return;
    this.#handed.delete(key);
    this.#handed.set(key, { cid, block });
    if (this.#handed.size > MAX_HANDED) this.#handed.delete(this.#handed.keys().next().value!);
  }

  /**
   * The number of a block that is asked for: in the group of the node that led to it, if that was handed out; a node has a
   * group of its own as well, since what it links to will be asked for next.
   */
  place(cid: CID): BlockNumber {
    const led = this.groups.number(cid) ?? this.#findParent(cid);
    if (led !== undefined && !canLink(cid)) return led;
    return this.groups.of(cid).members[0]!;
  }

  /** Finds out what of a group is here, once. */
  prepare(group: Group): Promise<void> {
    let ready = this.#ready.get(group);
    if (ready === undefined) {
      ready = this.#lookFor(group);
      this.#ready.set(group, ready);
      // What could not be read now may be readable later.
      ready.catch(() => this.#ready.delete(group));
    }
    return ready;
  }

  /** The block of a group came: its members are known now, and what of them is here. */
  async reveal(group: Group, block: Uint8Array): Promise<void> {
    this.groups.reveal(group, block);
    const unsure = group.members
      .filter((member) => !this.here.has(member))
      .map((member) => ({ member, cid: this.groups.cid(member) }))
      .filter(({ cid }) => !isInline(cid));
    for (let i = 0; i < unsure.length && this.groups.has(group); i += LOOKS) {
      await Promise.all(
        unsure.slice(i, i + LOOKS).map(async ({ member, cid }) => {
          const held = await this.#store.holds(cid);
          if (held && this.groups.number(cid) === member) this.here.add(member);
        }),
      );
    }
  }

  /** What an OPEN says of a group: how many members, and which are here; no members where the block itself is not. */
  bits(group: Group): { count: number; bits: Uint8Array } {
    const count = group.known && this.here.has(group.members[0]!) ? group.members.length : 0;
    const bits = new Uint8Array(Math.ceil(count / 8));
    for (let i = 0; i < count; i++) {
      if (this.here.has(group.members[i]!)) bits[i >> 3]! |= 1 << (i & 7);
    }
    return { count, bits };
  }

  drop(group: Group): BlockNumber[] {
    this.#ready.delete(group);
    const freed = this.groups.drop(group);
    for (const block of freed) {
      this.here.delete(block);
      this.lost.delete(block);
    }
    return freed;
  }

  async #lookFor(group: Group): Promise<void> {
    const block = await this.#store.read(group.cid);
    if (block === undefined || !this.groups.has(group)) return;
    this.here.add(group.members[0]!);
    await this.reveal(group, block);
  }

  #findParent(cid: CID): BlockNumber | undefined {
    const key = keyOf(cid);
    // The last that was handed out is the likeliest.
    for (const node of [...this.#handed.values()].reverse()) {
      node.links ??= new Set(memberLinks(node.cid, node.block).map(keyOf));
      if (!node.links.has(key)) continue;
      const group = this.groups.of(node.cid);
      this.groups.reveal(group, node.block);
      return this.groups.number(cid);
    }
    return undefined;
  }
}
