/**
 * What is talked about with whom: groups are opened to peers and closed again, peers are told what is here, and what they say to
 * have is taken in. There is an end to how much is talked about (topics.ts).
 */
import type { CID } from "multiformats/cid";
import { WireError } from "./frame.ts";
import { type Group, isInline } from "./groups.ts";
import type { BlockNumber, Holdings } from "./holdings.ts";
import { isSpeakable, MAX_GROUPS } from "./limits.ts";
import type { Member } from "./members.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Shelf } from "./shelf.ts";
import { Topics } from "./topics.ts";
import type { Uploads } from "./uploads.ts";
import type { Wants } from "./wants.ts";

/** Those who have to know when a block is forgotten. */
interface Books {
  shelf: Shelf;
  wants: Wants;
  holdings: Holdings;
  scheduler: Scheduler;
  uploads: Uploads;
}

export class Talk {
  readonly members: Map<number, Member> = new Map();
  readonly #books: Books;
  readonly #topics = new Topics();

  constructor(books: Books) {
    this.#books = books;
  }

  /** A group is used by a reader here. */
  use(group: Group): void {
    this.#topics.use(group);
    this.#makeRoom();
  }

  /** Tells a peer of a group, if it does not know. */
  open({ session }: Member, group: Group): void {
    if (session.isOpen(group) || !this.#books.shelf.groups.has(group) || !isSpeakable(group.cid)) {
      return;
    }
    if (session.mine.size >= MAX_GROUPS) {
      // The peer brought up so many, or we read so many: one that is not read goes.
      const old = [...session.mine.keys()].find((old) => !this.isWanted(old));
      if (old === undefined) return;
      session.close(old);
    }
    const { count, bits } = this.#books.shelf.bits(group);
    session.open(group, this.isWanted(group), count, bits);
  }

  /** Whether somebody else offers a block too. */
  isOfferedBeside(member: Member, block: BlockNumber): boolean {
    for (const other of this.members.values()) {
      if (other !== member && this.#books.holdings.has(other.session.number, block)) return true;
    }
    return false;
  }

  isWanted(group: Group): boolean {
    return group.members.some((block) => this.#books.wants.has(block));
  }

  /** Groups that are read here. */
  get wanted(): Group[] {
    return [...this.#topics.read].filter((group) => this.isWanted(group));
  }

  /** A peer brought a group up. */
  raise(cid: CID): Group {
    const group = this.#books.shelf.groups.of(cid);
    this.#topics.raise(group);
    this.#makeRoom();
    return group;
  }

  /** A peer talks about a group no more: nor do we, unless it is read here or by others. */
  release({ session }: Member, group: Group): void {
    if (!this.isWanted(group)) session.close(group);
    if (this.#topics.read.has(group)) return;
    for (const { groups } of this.members.values()) if (groups.has(group.key)) return;
    this.#drop(group);
  }

  /** Takes in what a peer says to have. @throws {WireError} where that cannot be */
  offered({ session, groups }: Member, group: Group, indices: Iterable<number>): void {
    const theirs = groups.get(group.key);
    if (theirs === undefined) return;
    if (group.known && theirs.open.count > 0 && theirs.open.count !== group.members.length) {
      throw new WireError(`it says that ${group.cid} has ${theirs.open.count} members`);
    }
    for (const index of indices) {
      const block = group.members[index];
      if (block === undefined) {
        if (!group.known) continue; // noted when the members are
        throw new WireError(`it says to have member ${index} of ${group.cid}`);
      }
      if (isInline(this.#books.shelf.groups.cid(block))) {
        throw new WireError(`it says to have member ${index} of ${group.cid}, which is no block`);
      }
      if (this.#books.holdings.add(session.number, block)) {
        this.#books.scheduler.offered(session.number, block);
      }
    }
  }

  /** Tells everybody who talks about a block that it is here, or is not any more. */
  tell(what: "have" | "lost", block: BlockNumber): void {
    for (const { session } of this.members.values()) {
      for (const { group, index } of this.#books.shelf.groups.places(block)) {
        if (session.isOpen(group)) session.list(what, group, index);
      }
      session.flushSoon();
    }
  }

  /** What a peer said to have of a group is understood now, and it hears what else is here. */
  catchUp(member: Member, group: Group): void {
    const { session, groups } = member;
    try {
      this.offered(member, group, groups.get(group.key)?.has ?? []);
    } catch (error) {
      return session.drop(error as Error);
    }
    if (!session.isOpen(group)) return;
    for (const [index, block] of group.members.entries()) {
      if (index > 0 && this.#books.shelf.here.has(block)) session.list("have", group, index);
    }
    session.flush();
  }

  /** Drops groups until there are not too many. */
  #makeRoom(): void {
    for (;;) {
      const group = this.#topics.surplus(this.members.values(), (group) => this.isWanted(group));
      if (group === undefined) return;
      this.#drop(group);
    }
  }

  /** Forgets a group, and all that is known of the blocks that are in no other: their numbers will be given to others. */
  #drop(group: Group): void {
    this.#topics.delete(group);
    for (const { session } of this.members.values()) session.close(group);
    for (const block of this.#books.shelf.drop(group)) {
      this.#books.scheduler.settle(block);
      this.#books.holdings.forget(block);
      for (const { session, asked, retracted, given } of this.members.values()) {
        this.#books.uploads.cancel(session.number, block);
        asked.delete(block);
        retracted.delete(block);
        given.forget(block);
      }
    }
  }
}
