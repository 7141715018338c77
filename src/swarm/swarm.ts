/**
 * The swarm of this node: what is read here and what peers ask for, brought together. The scheduler's decisions become frames;
 * what arrives is verified, stored, and only then told to others. What peers tell comes in through correspondence.ts.
 */
import type { CID } from "multiformats/cid";
import type { Bucket } from "./bucket.ts";
import { WireError } from "./frame.ts";
import type { Group } from "./groups.ts";
import { type BlockNumber, Holdings } from "./holdings.ts";
import { Pump } from "./pump.ts";
import { type Decision, Scheduler } from "./scheduler.ts";
import type { Session, Theirs } from "./session.ts";
import { Shelf, type SwarmStore } from "./shelf.ts";
import { type Upload, Uploads } from "./uploads.ts";
import { Wants } from "./wants.ts";

/** How often those who keep others waiting are looked for, in milliseconds. */
const TICK_MS = 250;

/** Groups talked about at once: fewer than a peer takes. The one that was not used for longest goes. */
const MAX_GROUPS = 768;

/** Blocks of which it is remembered how often a peer was asked for them. */
const MAX_ASKED = 65_536;

export interface SwarmSettings {
  store: SwarmStore;
  /** Whether bytes are the block of that name. */
  matches(cid: CID, bytes: Uint8Array): Promise<boolean>;
  /** A peer lied, and is not to be spoken to again. */
  ban(peer: string, why: string): void;
  log(line: string): void;
  /** Numbers from 0 up to 1. */
  random?: () => number;
  /** The cap on what goes out. */
  up: Bucket;
}

/** A peer, and what it has opened. */
export interface Member {
  session: Session;
  /** By CID. */
  groups: Map<string, Theirs>;
  /** How often it may yet send a block: it may have begun to before it heard that it need not, and then be asked again. */
  asked: Map<BlockNumber, number>;
}

export class Swarm {
  readonly settings: SwarmSettings;
  readonly shelf: Shelf;
  readonly holdings: Holdings = new Holdings();
  readonly scheduler: Scheduler;
  readonly uploads: Uploads;
  readonly pump: Pump;
  readonly members: Map<number, Member> = new Map();
  readonly #wants = new Wants();
  /** Groups in use, the one used last at the end. */
  readonly #used = new Set<Group>();
  readonly #ticking: ReturnType<typeof setInterval>;
  #deciding = false;

  constructor(settings: SwarmSettings) {
    this.settings = settings;
    const { random = Math.random } = settings;
    this.shelf = new Shelf(settings.store);
    this.scheduler = new Scheduler(this.holdings, random);
    this.uploads = new Uploads(this.holdings, random);
    this.pump = new Pump(this.uploads, settings.up, (upload) => this.#send(upload));
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#ticking);
    this.pump.stop();
    for (const { session } of [...this.members.values()]) session.drop(new Error("the node stops"));
  }

  /**
   * A block that is not here, as soon as somebody sends it or it comes in another way. It waits for as long as the signal lets
   * it.
   */
  async fetch(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const block = this.shelf.place(cid);
    const waiting = this.#wants.wait(block);
    const give = () => waiting.reject(signal.reason);
    signal.addEventListener("abort", give);
    void this.#want(block);
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener("abort", give);
      this.#wants.leave(block, waiting);
      this.#reconsider(block);
    }
  }

  /** Blocks that a reader will come to, if they are not here. @returns what to call when it will not */
  expect(cids: CID[]): () => void {
    const blocks = cids.map((cid) => this.shelf.place(cid));
    for (const block of blocks) {
      this.#wants.expect(block);
      void this.#want(block);
    }
    return () => {
      for (const block of blocks) {
        this.#wants.unexpect(block);
        this.#reconsider(block);
      }
    };
  }

  /** How many of those who offer a block are not stalled. */
  offers(cid: CID): number {
    const block = this.shelf.groups.number(cid);
    if (block === undefined) return 0;
    return [...this.members.keys()].filter((peer) =>
      this.holdings.has(peer, block) && !this.scheduler.isStalled(peer)
    ).length;
  }

  /** A block was stored, wherever it came from. */
  stored(cid: CID, bytes: Uint8Array): void {
    const block = this.shelf.groups.number(cid);
    if (block === undefined || !this.shelf.here.add(block)) return;
    this.shelf.lost.delete(block);
    this.scheduler.settle(block); // that it is here tells everybody not to send it
    this.#wants.satisfy(block, bytes);
    const group = this.shelf.groups.named(block);
    if (group === undefined) this.#tell("have", block);
    else void this.#reveal(group, block, bytes);
    this.decideSoon();
  }

  /** A block came that cannot be kept: who waits for it is told why. */
  fail(block: BlockNumber, why: unknown): void {
    this.#wants.fail(block, why);
  }

  removed(cid: CID): void {
    const block = this.shelf.groups.number(cid);
    if (block === undefined || !this.shelf.here.delete(block)) return;
    this.shelf.lost.add(block);
    this.#tell("lost", block);
  }

  /** Tells a peer of a group, if it does not know. */
  open({ session }: Member, group: Group): void {
    if (session.isOpen(group)) return;
    const { count, bits } = this.shelf.bits(group);
    session.open(group, group.members.some((block) => this.#wants.has(block)), count, bits);
  }

  /** Groups that are read here. */
  get wanted(): Group[] {
    return [...this.#used].filter((group) => group.members.some((b) => this.#wants.has(b)));
  }

  /** A group was used: it is kept, and one that was not for long may go. */
  use(group: Group): void {
    this.#used.delete(group);
    this.#used.add(group);
    if (this.#used.size <= MAX_GROUPS) return;
    for (const old of this.#used) {
      if (old.members.some((block) => this.#wants.has(block))) continue;
      for (const { session } of this.members.values()) session.close(old);
      for (const block of this.shelf.drop(old)) this.holdings.forget(block);
      this.#used.delete(old);
      return;
    }
  }

  /** Notes what a peer says to have. @throws {WireError} where that cannot be */
  note({ session, groups }: Member, group: Group, indices: Iterable<number>): void {
    const theirs = groups.get(group.cid.toString());
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
      if (this.holdings.add(session.number, block)) this.scheduler.offered(session.number, block);
    }
  }

  /** Decides after everything that came at once was heard. */
  decideSoon(): void {
    if (this.#deciding) return;
    this.#deciding = true;
    queueMicrotask(() => {
      this.#deciding = false;
      this.#apply(this.scheduler.decide(performance.now()));
    });
  }

  /** Talks with everybody about the groups of a block, and asks for it unless it is here. */
  async #want(block: BlockNumber): Promise<void> {
    const groups = this.shelf.groups.places(block).map(({ group }) => group);
    for (const group of groups) this.use(group);
    await Promise.all(groups.map((group) => this.shelf.prepare(group)));
    for (const member of this.members.values()) {
      for (const group of groups) this.open(member, group);
    }
    if (!this.#wants.has(block) || this.shelf.here.has(block)) return;
    this.scheduler.want(block, this.#wants.isUrgent(block));
    this.decideSoon();
  }

  /** Somebody who wanted a block does not any more. */
  #reconsider(block: BlockNumber): void {
    if (this.shelf.here.has(block)) return;
    if (this.#wants.has(block)) this.scheduler.want(block, this.#wants.isUrgent(block));
    else this.#apply(this.scheduler.settle(block));
    this.decideSoon();
  }

  async #reveal(group: Group, self: BlockNumber, block: Uint8Array): Promise<void> {
    await this.shelf.reveal(group, block);
    this.#tell("have", self);
    for (const member of this.members.values()) {
      const theirs = member.groups.get(group.cid.toString());
      try {
        if (theirs !== undefined) this.note(member, group, theirs.has);
      } catch (error) {
        member.session.drop(error as Error);
      }
      for (const [index, block] of group.members.entries()) {
        if (index === 0 || !this.shelf.here.has(block) || !member.session.isOpen(group)) continue;
        member.session.list("have", group, index);
      }
      member.session.flush();
    }
    this.decideSoon();
  }

  /** Tells everybody who talks about a block that it is here, or is not any more. */
  #tell(what: "have" | "lost", block: BlockNumber): void {
    for (const { session } of this.members.values()) {
      for (const { group, index } of this.shelf.groups.places(block)) {
        if (session.isOpen(group)) session.list(what, group, index);
      }
      session.flush();
    }
  }

  #apply(decisions: Decision[]): void {
    const told = new Set<Session>();
    for (const decision of decisions) {
      const asking = "ask" in decision;
      const member = this.members.get(asking ? decision.ask : decision.cancel);
      if (member === undefined) continue;
      const { session, asked } = member;
      const { block } = decision;
      const place = this.shelf.groups.places(block).find(({ group, index }) =>
        session.isOpen(group) && member.groups.get(group.cid.toString())?.has.has(index)
      );
      if (place === undefined) {
        if (asking) this.scheduler.refused(session.number, block);
        continue;
      }
      if (asking) {
        session.request(place.group, decision.level, place.index);
        asked.set(block, (asked.get(block) ?? 0) + 1);
        if (asked.size > MAX_ASKED) asked.delete(asked.values().next().value!);
      } else session.list("cancel", place.group, place.index);
      told.add(session);
    }
    for (const session of told) session.flush();
  }

  async #send({ peer, block }: Upload): Promise<number | undefined> {
    const cid = this.shelf.groups.cid(block);
    const bytes = await this.settings.store.read(cid);
    const session = this.members.get(peer)?.session;
    const place = session &&
      this.shelf.groups.places(block).find(({ group }) => session.isOpen(group));
    if (bytes === undefined || session === undefined || place === undefined) {
      this.uploads.cancel(peer, block);
      if (bytes === undefined) this.removed(cid);
      return undefined;
    }
    this.uploads.sent(peer, block, bytes.byteLength, performance.now());
    session.sendBlock(place.group, place.index, bytes);
    return bytes.byteLength;
  }

  #tick(): void {
    if (this.members.size === 0) return;
    const now = performance.now();
    this.scheduler.tick(now);
    this.uploads.tick(now);
    this.pump.run();
    this.decideSoon();
  }
}
