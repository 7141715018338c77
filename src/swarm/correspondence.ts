/** What peers tell, understood: their frames become what the swarm knows of them, and what they ask for. */
import { type Level, WANTING, WireError } from "./frame.ts";
import { type Group, groupKey } from "./groups.ts";
import type { BlockNumber } from "./holdings.ts";
import type { Listener, Theirs } from "./listener.ts";
import { Lookups } from "./lookups.ts";
import { countDown, createMember, type Member, offers } from "./members.ts";
import { type Session, UnreadError } from "./session.ts";
import type { Offence } from "./standing.ts";
import type { Swarm } from "./swarm.ts";

export class Correspondence implements Listener {
  readonly #swarm: Swarm;
  readonly #onEnd: (session: Session) => void;

  /** @param onEnd told when a conversation is over, and the standing of who broke it off is known */
  constructor(swarm: Swarm, onEnd: (session: Session) => void) {
    this.#swarm = swarm;
    this.#onEnd = onEnd;
  }

  began(session: Session): void {
    const { number } = session;
    const swarm = this.#swarm;
    const member = createMember(
      session,
      new Lookups(async (theirs) => {
        try {
          await this.#answer(session, theirs);
        } catch (error) {
          swarm.settings.log(`${theirs.cid} cannot be looked for: ${(error as Error).message}`);
        }
      }),
    );
    swarm.talk.members.set(number, member);
    swarm.holdings.join(number);
    swarm.scheduler.join(number);
    swarm.uploads.join(number);
    for (const group of swarm.talk.wanted) {
      swarm.shelf.prepare(group).then(() => {
        if (this.#member(session) === member) swarm.talk.open(member, group);
      }, () => {}); // whoever wants it is told
    }
  }

  opened(session: Session, theirs: Theirs): void {
    const member = this.#member(session);
    if (member === undefined) return;
    const key = groupKey(theirs.cid);
    if (member.groups.has(key)) throw new WireError(`it opens ${theirs.cid} twice`);
    member.groups.set(key, theirs);
    member.lookups.add(theirs);
  }

  offered(session: Session, theirs: Theirs, indices: number[]): void {
    const member = this.#member(session);
    const group = this.#swarm.shelf.groups.get(theirs.cid);
    if (member === undefined || group === undefined) return;
    this.#swarm.talk.offered(member, group, indices);
    for (const index of indices) {
      const block = group.members[index];
      if (block === undefined) continue;
      const stopped = session.stopBlock(group, index); // it came from somebody else meanwhile
      this.#swarm.pump.acknowledged(session.number, block, !stopped);
    }
    this.#swarm.pump.run();
    this.#swarm.decideSoon();
    const again = indices.filter((index) => member.retracted.delete(group.members[index] ?? -1));
    if (again.length > 0) this.#offend(member, "retraction");
  }

  withdrawn(session: Session, theirs: Theirs, indices: number[]): void {
    const member = this.#member(session);
    const group = this.#groupOf(theirs, indices);
    if (member === undefined || group === undefined) return;
    for (const index of indices) {
      const block = group.members[index];
      if (block !== undefined && member.asked.has(block)) member.retracted.add(block);
    }
    this.#withdraw(member, group, indices);
  }

  requested(session: Session, theirs: Theirs, level: Level, indices: number[]): void {
    const { shelf, uploads, pump } = this.#swarm;
    const member = this.#member(session);
    const group = this.#groupOf(theirs, indices);
    if (member === undefined || group === undefined || !session.isOpen(group)) return; // closed meanwhile
    const now = performance.now();
    let offence: Offence | undefined;
    for (const index of indices) {
      const block = group.members[index];
      if (block !== undefined && theirs.has.has(index)) {
        offence = "contradiction";
      } else if (block !== undefined && member.given.isEnough(block, now)) {
        offence ??= "greed";
      } else if (block !== undefined && shelf.here.has(block)) {
        uploads.request(session.number, block, level, now);
      } else if (block !== undefined && shelf.lost.has(block)) {
        session.list("lost", group, index);
      } else if (index > 0) {
        throw new WireError(`it asks for member ${index} of ${theirs.cid}, which was not offered`);
      }
    }
    session.flush();
    pump.run();
    if (offence !== undefined) this.#offend(member, offence);
  }

  cancelled(session: Session, theirs: Theirs, indices: number[]): void {
    const member = this.#member(session);
    const group = this.#groupOf(theirs, indices);
    for (const index of indices) {
      const block = group?.members[index];
      if (block === undefined || !this.#swarm.uploads.cancel(session.number, block)) continue;
      if (session.stopBlock(group!, index)) member?.given.takeBack(block);
    }
    this.#swarm.pump.run();
  }

  closed(session: Session, theirs: Theirs): void {
    const member = this.#member(session);
    if (member === undefined) return;
    member.lookups.delete(theirs);
    member.groups.delete(groupKey(theirs.cid));
    const reads = [...member.groups.values()].some(isReading);
    if (!reads) this.#swarm.scheduler.fellow(session.number, false);
    const { groups } = this.#swarm.shelf;
    const group = groups.get(theirs.cid);
    if (group === undefined) return;
    for (const block of group.members) {
      const isOpen = groups.places(block).some(({ group }) => member.groups.has(group.key));
      if (!isOpen) this.#swarm.uploads.cancel(session.number, block);
    }
    this.#withdraw(member, group, theirs.has);
    this.#swarm.talk.release(member, group);
    this.#swarm.pump.run();
  }

  expects(session: Session, theirs: Theirs, index: number): boolean {
    const block = this.#block(theirs, index);
    const member = this.#member(session);
    if (block !== undefined && member !== undefined && countDown(member.asked, block)) {
      member.gave = true;
      return !this.#swarm.shelf.here.has(block);
    }
    throw new WireError(`it sends member ${index} of ${theirs.cid}, which nobody asked it for`);
  }

  progressed(session: Session, theirs: Theirs, index: number): void {
    const block = this.#block(theirs, index);
    if (block !== undefined) {
      this.#swarm.scheduler.heard(session.number, block, performance.now());
    }
  }

  abandoned(session: Session, theirs: Theirs, index: number): void {
    const block = this.#block(theirs, index);
    if (block === undefined) return;
    this.#swarm.scheduler.refused(session.number, block);
    this.#swarm.decideSoon();
  }

  received(session: Session, theirs: Theirs, index: number, bytes: Uint8Array): void {
    this.#keep(session, theirs, index, bytes).catch((error) => {
      this.#swarm.settings.log(`What a neighbour sent cannot be kept: ${error.message}`);
      const block = this.#block(theirs, index);
      if (block === undefined) return;
      this.#swarm.scheduler.refused(session.number, block);
      this.#swarm.fail(block, error);
    });
  }

  ended(session: Session, why: Error | undefined): void {
    const member = this.#member(session);
    if (member === undefined) return;
    const swarm = this.#swarm;
    const { number, peer } = session;
    if (why instanceof WireError || why instanceof UnreadError) {
      swarm.settings.log(`${peer} is not spoken to any more: ${why.message}`);
    }
    if (why instanceof WireError) swarm.standings.bar(peer, performance.now());
    member.lookups.stop();
    swarm.talk.members.delete(number);
    swarm.scheduler.leave(number);
    swarm.uploads.leave(number);
    swarm.holdings.leave(number);
    for (const { cid } of member.groups.values()) {
      const group = swarm.shelf.groups.get(cid);
      if (group !== undefined) swarm.talk.release(member, group);
    }
    this.#onEnd(session);
    swarm.pump.run();
    swarm.decideSoon();
  }

  /** A group was opened: what the peer has of it is noted, and it is told what is here. */
  async #answer(session: Session, theirs: Theirs): Promise<void> {
    const swarm = this.#swarm;
    const { cid, open, has } = theirs;
    const isOpen = () => this.#member(session)?.groups.get(groupKey(cid)) === theirs;
    if (!isOpen()) return;
    const group = swarm.talk.raise(cid);
    await swarm.shelf.prepare(group);
    const member = this.#member(session);
    if (member === undefined || !isOpen() || !swarm.shelf.groups.has(group)) return; // closed meanwhile
    // Who has everything and asks for nothing is a seeder, for as long as it is so.
    if (isReading(theirs)) {
      swarm.scheduler.fellow(session.number, true);
      swarm.holdings.setSeeder(session.number, false);
    } else if (member.groups.size === 1 && open.count > 0 && has.size === open.count) {
      swarm.holdings.setSeeder(session.number, true);
    }
    try {
      swarm.talk.offered(member, group, has);
      swarm.talk.open(member, group);
      swarm.decideSoon();
    } catch (error) {
      session.drop(error as Error);
    }
  }

  /** Verified, then stored, and then told: the sender hears of it even if the block was here already. */
  async #keep(session: Session, theirs: Theirs, index: number, bytes: Uint8Array): Promise<void> {
    const { settings, shelf } = this.#swarm;
    const block = this.#block(theirs, index);
    if (block === undefined) return;
    const cid = shelf.groups.cid(block);
    if (!await settings.matches(cid, bytes)) {
      settings.ban(session.peer, `it sent wrong bytes for ${cid}`); // which ends the connection, and says why
      session.drop(new Error("it was banned"));
      return;
    }
    if (shelf.groups.number(cid) !== block) return; // nobody talks about it any more
    this.#swarm.holdings.believe(session.number, true);
    if (!shelf.here.has(block)) {
      await settings.store.put(cid, bytes);
      this.#swarm.stored(cid, bytes);
      // The sender waits for it to send on; after what is decided now, which goes with it.
      queueMicrotask(() => session.flush());
      return;
    }
    const group = shelf.groups.get(theirs.cid);
    if (group === undefined || !session.isOpen(group)) return;
    session.list("have", group, index);
    session.flush();
  }

  /** A peer has some members no more, unless it offers them in other groups as well. */
  #withdraw(member: Member, group: Group, indices: Iterable<number>): void {
    const { shelf, holdings, scheduler } = this.#swarm;
    const { number } = member.session;
    for (const index of indices) {
      const block = group.members[index];
      if (block === undefined || !holdings.has(number, block)) continue;
      const places = shelf.groups.places(block);
      if (places.some((place) => offers(member, place.group, place.index))) continue;
      holdings.delete(number, block);
      scheduler.refused(number, block);
    }
    this.#swarm.decideSoon();
  }

  /** @throws {WireError} where that was one offence too many */
  #offend(member: Member, offence: Offence): void {
    const reason = this.#swarm.note(member, offence);
    if (reason !== undefined) throw new WireError(reason);
  }

  /** The group, as far as it is talked about here. @throws {WireError} for a list that has more than its members */
  #groupOf({ cid }: Theirs, indices: number[]): Group | undefined {
    const group = this.#swarm.shelf.groups.get(cid);
    if (group?.known && indices.at(-1)! >= group.members.length) {
      throw new WireError(
        `index ${indices.at(-1)} of ${cid}, which has ${group.members.length} members`,
      );
    }
    return group;
  }

  #block(theirs: Theirs, index: number): BlockNumber | undefined {
    return this.#swarm.shelf.groups.get(theirs.cid)?.members[index];
  }

  #member(session: Session): Member | undefined {
    const member = this.#swarm.talk.members.get(session.number);
    return member?.session === session ? member : undefined;
  }
}

/** Whether a peer reads a group. Who says so and has all of it does not. */
function isReading({ open, has }: Theirs): boolean {
  return (open.flags & WANTING) !== 0 && (open.count === 0 || has.size < open.count);
}
