/** What peers tell, understood: their frames become what the swarm knows of them, and what they ask for. */
import { type Level, WANTING, WireError } from "./frame.ts";
import type { BlockNumber } from "./holdings.ts";
import type { Listener, Session, Theirs } from "./session.ts";
import type { Member, Swarm } from "./swarm.ts";

export class Correspondence implements Listener {
  readonly #swarm: Swarm;
  readonly #onEnd: (session: Session) => void;

  constructor(swarm: Swarm, onEnd: (session: Session) => void) {
    this.#swarm = swarm;
    this.#onEnd = onEnd;
  }

  began(session: Session): void {
    const { number } = session;
    const swarm = this.#swarm;
    const member: Member = { session, groups: new Map(), asked: new Map() };
    swarm.members.set(number, member);
    swarm.holdings.join(number);
    swarm.scheduler.join(number);
    swarm.uploads.join(number);
    for (const group of swarm.wanted) {
      void swarm.shelf.prepare(group).then(() => {
        if (this.#isHere(session)) swarm.open(member, group);
      });
    }
  }

  opened(session: Session, theirs: Theirs): void {
    this.#member(session)?.groups.set(theirs.cid.toString(), theirs);
    this.#answer(session, theirs).catch((error) => session.drop(error));
  }

  offered(session: Session, theirs: Theirs, indices: number[]): void {
    const member = this.#member(session);
    const group = this.#swarm.shelf.groups.get(theirs.cid);
    if (member === undefined || group === undefined) return;
    this.#swarm.note(member, group, indices);
    for (const index of indices) {
      const block = group.members[index];
      if (block === undefined) continue;
      this.#swarm.pump.acknowledged(session.number, block);
      session.stopBlock(group, index); // it came from somebody else meanwhile
    }
    this.#swarm.pump.run();
    this.#swarm.decideSoon();
  }

  withdrawn(session: Session, theirs: Theirs, indices: number[]): void {
    for (const index of indices) {
      const block = this.#block(theirs, index);
      if (block === undefined || !this.#swarm.holdings.delete(session.number, block)) continue;
      this.#swarm.scheduler.refused(session.number, block);
    }
    this.#swarm.decideSoon();
  }

  requested(session: Session, theirs: Theirs, level: Level, indices: number[]): void {
    const { shelf, uploads, pump } = this.#swarm;
    const group = shelf.groups.get(theirs.cid);
    if (group === undefined || !session.isOpen(group)) return; // closed meanwhile
    for (const index of indices) {
      const block = group.members[index];
      if (block !== undefined && shelf.here.has(block)) {
        uploads.request(session.number, block, level, performance.now());
      } else if (block !== undefined && shelf.lost.has(block)) {
        session.list("lost", group, index);
      } else if (index > 0) {
        throw new WireError(`it asks for member ${index} of ${theirs.cid}, which was not offered`);
      }
    }
    session.flush();
    pump.run();
  }

  cancelled(session: Session, theirs: Theirs, indices: number[]): void {
    const group = this.#swarm.shelf.groups.get(theirs.cid);
    for (const index of indices) {
      const block = group?.members[index];
      if (block === undefined || !this.#swarm.uploads.cancel(session.number, block)) continue;
      session.stopBlock(group!, index);
    }
    this.#swarm.pump.run();
  }

  closed(session: Session, theirs: Theirs): void {
    this.#member(session)?.groups.delete(theirs.cid.toString());
    this.withdrawn(session, theirs, [...theirs.has]);
  }

  expects(session: Session, theirs: Theirs, index: number): boolean {
    const block = this.#block(theirs, index);
    const asked = this.#member(session)?.asked;
    const times = block === undefined ? 0 : asked?.get(block) ?? 0;
    if (block !== undefined && times > 0) {
      if (times === 1) asked!.delete(block);
      else asked!.set(block, times - 1);
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
      if (block !== undefined) this.#swarm.fail(block, error);
    });
  }

  ended(session: Session, why: Error | undefined): void {
    if (!this.#isHere(session)) return;
    const swarm = this.#swarm;
    if (why instanceof WireError) {
      swarm.settings.log(`${session.peer} is not spoken to any more: ${why.message}`);
    }
    swarm.members.delete(session.number);
    this.#onEnd(session);
    swarm.scheduler.leave(session.number);
    swarm.uploads.leave(session.number);
    swarm.holdings.leave(session.number);
    swarm.pump.run();
    swarm.decideSoon();
  }

  /** A group was opened: what the peer has of it is noted, and it is told what is here. */
  async #answer(session: Session, theirs: Theirs): Promise<void> {
    const swarm = this.#swarm;
    const { cid, open, has } = theirs;
    const group = swarm.shelf.groups.of(cid);
    swarm.use(group);
    await swarm.shelf.prepare(group);
    const member = this.#member(session);
    if (member?.groups.get(cid.toString()) !== theirs) return; // closed meanwhile
    const wanting = (open.flags & WANTING) !== 0;
    // Who has everything and asks for nothing is a seeder, for as long as it is so.
    if (wanting) {
      swarm.scheduler.fellow(session.number, true);
      swarm.holdings.setSeeder(session.number, false);
    } else if (member.groups.size === 1 && open.count > 0 && has.size === open.count) {
      swarm.holdings.setSeeder(session.number, true);
    }
    swarm.note(member, group, has);
    swarm.open(member, group);
    swarm.decideSoon();
  }

  /** Verified, then stored, and then told: the sender hears of it even if the block was here already. */
  async #keep(session: Session, theirs: Theirs, index: number, bytes: Uint8Array): Promise<void> {
    const { settings, shelf, scheduler } = this.#swarm;
    const block = this.#block(theirs, index);
    if (block === undefined) return;
    const cid = shelf.groups.cid(block);
    if (!await settings.matches(cid, bytes)) {
      scheduler.refused(session.number, block);
      settings.ban(session.peer, `it sent wrong bytes for ${cid}`);
      session.drop(new WireError(`it sent wrong bytes for ${cid}`));
      return;
    }
    if (!shelf.here.has(block)) {
      await settings.store.put(cid, bytes);
      this.#swarm.stored(cid, bytes);
      return;
    }
    const group = shelf.groups.get(theirs.cid);
    if (group === undefined || !session.isOpen(group)) return;
    session.list("have", group, index);
    session.flush();
  }

  #block(theirs: Theirs, index: number): BlockNumber | undefined {
    return this.#swarm.shelf.groups.get(theirs.cid)?.members[index];
  }

  #member(session: Session): Member | undefined {
    const member = this.#swarm.members.get(session.number);
    return member?.session === session ? member : undefined;
  }

  #isHere(session: Session): boolean {
    return this.#member(session) !== undefined;
  }
}
