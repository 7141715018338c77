/**
 * What peers talk about: groups, each a block and what it links to, so that a block can be named by two small numbers
 * (docs/swarm-protocol.md, "Groups"). Inside this node a block has one number, however many groups it is in.
 */
import * as dagPb from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { linksOf } from "../content/document.ts";
import { keyOf } from "../store/blocks.ts";
import type { BlockNumber } from "./holdings.ts";
import { MAX_MEMBERS } from "./limits.ts";

export interface Group {
  readonly cid: CID;
  /** See {@link groupKey}. */
  readonly key: string;
  /** By index: the block itself, and once that is here what it links to. */
  members: BlockNumber[];
  /** Whether the block is here, so that its members are known. */
  known: boolean;
}

/** Where a block stands in a group. */
export interface Place {
  group: Group;
  index: number;
}

interface Known {
  cid: CID;
  places: Place[];
}

export class Groups {
  readonly #groups = new Map<string, Group>();
  readonly #numbers = new Map<string, BlockNumber>();
  readonly #blocks: (Known | undefined)[] = [];
  readonly #freed: BlockNumber[] = [];

  get(cid: CID): Group | undefined {
    return this.#groups.get(groupKey(cid));
  }

  /** Whether a group was not dropped. */
  has(group: Group): boolean {
    return this.#groups.get(group.key) === group;
  }

  /** The group of that block, made if there is none. */
  of(cid: CID): Group {
    const key = groupKey(cid);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { cid, key, members: [], known: false };
      this.#groups.set(key, group);
      this.#enter(group, cid);
    }
    return group;
  }

  /** The block of a group is here: its members become known. */
  reveal(group: Group, block: Uint8Array): void {
    if (group.known) return;
    group.known = true;
    for (const link of memberLinks(group.cid, block)) this.#enter(group, link);
  }

  /**
   * A group that nobody talks about any more. Numbers are given again: whoever waits for something looks afterwards whether the
   * block still has the number that it had.
   *
   * @returns blocks that are in no other group, and whose numbers are free now
   */
  drop(group: Group): BlockNumber[] {
    if (!this.has(group)) return [];
    this.#groups.delete(group.key);
    const freed: BlockNumber[] = [];
    for (const block of group.members) {
      const known = this.#blocks[block]!;
      known.places = known.places.filter((place) => place.group !== group);
      if (known.places.length > 0) continue;
      this.#numbers.delete(keyOf(known.cid));
      this.#blocks[block] = undefined;
      this.#freed.push(block);
      freed.push(block);
    }
    return freed;
  }

  /** The number of a block that is in some group. */
  number(cid: CID): BlockNumber | undefined {
    return this.#numbers.get(keyOf(cid));
  }

  /** @throws {Error} for a number that no block has */
  cid(block: BlockNumber): CID {
    return this.#known(block).cid;
  }

  places(block: BlockNumber): readonly Place[] {
    return this.#known(block).places;
  }

  /** The groups that a block names: one for each codec under which it is talked about. */
  named(block: BlockNumber): Group[] {
    return this.#known(block).places.filter(({ index }) => index === 0).map(({ group }) => group);
  }

  #known(block: BlockNumber): Known {
    const known = this.#blocks[block];
    if (known === undefined) throw new Error(`no block has the number ${block}`);
    return known;
  }

  #enter(group: Group, cid: CID): void {
    const key = keyOf(cid);
    let block = this.#numbers.get(key);
    if (block === undefined) {
      block = this.#freed.pop() ?? this.#blocks.length;
      this.#blocks[block] = { cid, places: [] };
      this.#numbers.set(key, block);
    }
    this.#blocks[block]!.places.push({ group, index: group.members.length });
    group.members.push(block);
  }
}

/**
 * The members of a group after the first: each block that it links to once. None where there are too many, or it is broken. In
 * documents they are in the order of their hashes: no two parsers agree on the order of keys.
 */
export function memberLinks(cid: CID, block: Uint8Array): CID[] {
  let links: CID[];
  try {
    links = linksOf(cid, block);
  } catch {
    return []; // who reads it is told; for the swarm it is a block without links
  }
  const members = new Map<string, CID>();
  for (const link of links) if (!members.has(keyOf(link))) members.set(keyOf(link), link);
  members.delete(keyOf(cid));
  if (members.size >= MAX_MEMBERS) return [];
  if (cid.code === dagPb.code) return [...members.values()];
  return [...members].sort(([one], [other]) => one < other ? -1 : 1).map(([, link]) => link);
}

/** A group's name: the block, and the codec by which its links are found. Versions of CIDs do not matter. */
export function groupKey(cid: CID): string {
  let key = groupKeys.get(cid);
  if (key === undefined) groupKeys.set(cid, key = `${cid.code} ${keyOf(cid)}`);
  return key;
}

/** Names are asked for at every frame. */
const groupKeys = new WeakMap<CID, string>();

/** Whether a CID carries its bytes itself. As a link it is a member of its group, but no block: nobody has it or asks for it. */
export function isInline({ multihash }: CID): boolean {
  return multihash.code === identity.code;
}
