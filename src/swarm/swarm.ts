/**
 * The swarm of this node: what is read here and what peers ask for, brought together. The scheduler's decisions become frames;
 * what arrives is verified, stored, and only then told to others. What peers tell comes in through correspondence.ts.
 */
import type { CID } from "multiformats/cid";
import { canLink } from "../content/document.ts";
import type { Bucket } from "./bucket.ts";
import { WireError } from "./frame.ts";
import { type Group, isInline } from "./groups.ts";
import { type BlockNumber, Holdings } from "./holdings.ts";
import { countUp, type Member, offers } from "./members.ts";
import { Pump } from "./pump.ts";
import { type Decision, Scheduler } from "./scheduler.ts";
import { type Session, UnreadError } from "./session.ts";
import { Shelf, type SwarmStore } from "./shelf.ts";
import { type Offence, Standings } from "./standing.ts";
import { Talk } from "./talk.ts";
import { type Upload, Uploads } from "./uploads.ts";
import { Wants } from "./wants.ts";

/** How often those who keep others waiting are looked for, in milliseconds. */
const TICK_MS = 250;

/** A peer that lets what it asked for lie so long is sent nothing more, in milliseconds. */
const STILL_MS = 5_000;

/** After so long its stream is taken down. */
const ASLEEP_MS = 60_000;

export interface SwarmSettings {
  store: SwarmStore;
  /** Whether bytes are the block of that name. */
  matches(cid: CID, bytes: Uint8Array): Promise<boolean>;
  /** A peer lied, and is not to be spoken to again. */
  ban(peer: string, why: string): void;
  log(line: string): void;
  /** Told of each block that is put on its way to a peer. Default: nobody. */
  gave?: (cid: CID, bytes: number) => void;
  /** Numbers from 0 up to 1. */
  random?: () => number;
  /** The cap on what goes out. */
  up: Bucket;
}

export class Swarm {
  readonly settings: SwarmSettings;
  readonly shelf: Shelf;
  readonly holdings: Holdings = new Holdings();
  readonly scheduler: Scheduler;
  readonly uploads: Uploads;
  readonly pump: Pump;
  readonly talk: Talk;
  readonly standings: Standings = new Standings();
  readonly #wants = new Wants();
  readonly #ticking: ReturnType<typeof setInterval>;
  #deciding = false;

  constructor(settings: SwarmSettings) {
    this.settings = settings;
    const { random = Math.random } = settings;
    this.shelf = new Shelf(settings.store);
    this.scheduler = new Scheduler(this.holdings, random);
    this.uploads = new Uploads(this.holdings, random);
    const { shelf, holdings, scheduler, uploads } = this;
    this.talk = new Talk({ shelf, holdings, scheduler, uploads, wants: this.#wants });
    this.pump = new Pump(this.uploads, settings.up, (upload) => this.#send(upload));
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#ticking);
    this.pump.stop();
    for (const { session } of [...this.talk.members.values()]) {
      session.drop(new Error("the node stops"));
    }
  }

  /**
   * Resolves when a block that is not here is in the store: somebody sent it, or it came in another way. It waits for as long as
   * the signal lets it.
   */
  async fetch(cid: CID, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isHere(cid)) {
      if (await this.settings.store.read(cid) !== undefined) return;
      this.removed(cid); // a damaged file: who was told that it is here is told that it is not
      signal.throwIfAborted();
    }
    const block = this.shelf.place(cid);
    const waiting = this.#wants.wait(block);
    const give = () => waiting.reject(signal.reason);
    signal.addEventListener("abort", give);
    void this.#want(cid, block);
    try {
      await waiting.promise;
    } finally {
      signal.removeEventListener("abort", give);
      this.#wants.leave(block, waiting);
      this.#reconsider(block);
    }
  }

  /** Blocks that a reader will come to, if they are not here. @returns what to call when it will not */
  expect(cids: CID[]): () => void {
    const expected = cids.filter((cid) => !isInline(cid)).map((cid) => {
      const block = this.shelf.place(cid);
      const leave = this.#wants.expect(block);
      void this.#want(cid, block);
      return { block, leave };
    });
    return () => {
      for (const { block, leave } of expected) {
        leave();
        this.#reconsider(block);
      }
    };
  }

  /** Whether somebody offers a block who is not stalled. Asked again and again, for each that is waited for. */
  isOffered(cid: CID): boolean {
    const block = this.shelf.groups.number(cid);
    if (block === undefined) return false;
    return [...this.talk.members.keys()].some((peer) =>
      this.holdings.has(peer, block) && !this.scheduler.isDoubtful(peer)
    );
  }

  /** A block was stored, wherever it came from. */
  stored(cid: CID, bytes: Uint8Array): void {
    const block = this.shelf.groups.number(cid);
    if (block === undefined || isInline(cid) || !this.shelf.here.add(block)) return;
    this.shelf.lost.delete(block);
    this.scheduler.settle(block); // that it is here tells everybody not to send it
    this.#wants.satisfy(block);
    const groups = this.shelf.groups.named(block);
    if (groups.length === 0) this.talk.tell("have", block);
    else this.#reveal(cid, groups, bytes).catch((error) => this.#unreadable(cid, error));
    this.decideSoon();
  }

  /** A block cannot be had, or kept: who waits for it is told why, and it is not asked for any more. */
  fail(block: BlockNumber, why: unknown): void {
    this.#wants.fail(block, why);
    this.#reconsider(block);
  }

  removed(cid: CID): void {
    const block = this.shelf.groups.number(cid);
    if (block === undefined || !this.shelf.here.delete(block)) return;
    this.shelf.lost.add(block);
    this.talk.tell("lost", block);
  }

  /** A peer did something wrong. @returns why it is not to be spoken to any more, if it is not */
  note({ session: { peer } }: Member, offence: Offence): string | undefined {
    return this.standings.note(peer, offence, performance.now());
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

  #isHere(cid: CID): boolean {
    const block = this.shelf.groups.number(cid);
    return block !== undefined && this.shelf.here.has(block);
  }

  /** Talks with everybody about the groups of a block, and asks for it unless it is here. */
  async #want(cid: CID, block: BlockNumber): Promise<void> {
    const groups = this.shelf.groups.places(block).map(({ group }) => group);
    for (const group of groups) this.talk.use(group);
    try {
      await Promise.all(groups.map((group) => this.shelf.prepare(group)));
    } catch (error) {
      this.#unreadable(cid, error as Error);
      if (this.shelf.groups.number(cid) === block) this.fail(block, error);
      return;
    }
    for (const member of this.talk.members.values()) {
      for (const group of groups) this.talk.open(member, group);
    }
    if (this.shelf.groups.number(cid) !== block) return; // given up, and forgotten
    if (!this.#wants.has(block) || this.shelf.here.has(block)) return;
    this.scheduler.want(block, this.#wants.isUrgent(block), canLink(this.shelf.groups.cid(block)));
    this.decideSoon();
  }

  #unreadable(cid: CID, error: Error): void {
    this.settings.log(`What there is of ${cid} cannot be read: ${error.message}`);
  }

  /** Somebody who wanted a block does not any more. */
  #reconsider(block: BlockNumber): void {
    if (this.shelf.here.has(block)) return;
    if (this.#wants.has(block)) this.scheduler.want(block, this.#wants.isUrgent(block));
    else this.#apply(this.scheduler.settle(block));
    this.decideSoon();
  }

  /** A block came that names groups: their members are known now. */
  async #reveal(cid: CID, groups: Group[], block: Uint8Array): Promise<void> {
    for (const group of groups) await this.shelf.reveal(group, block);
    const self = this.shelf.groups.number(cid);
    if (self === undefined || !this.shelf.here.has(self)) return;
    this.talk.tell("have", self);
    for (const group of groups) {
      if (!this.shelf.groups.has(group)) continue;
      for (const member of this.talk.members.values()) this.talk.catchUp(member, group);
    }
    this.decideSoon();
  }

  #apply(decisions: Decision[]): void {
    const told = new Set<Session>();
    for (const decision of decisions) {
      const asking = "ask" in decision;
      const member = this.talk.members.get(asking ? decision.ask : decision.cancel);
      if (member === undefined) continue;
      const { session, asked } = member;
      const { block } = decision;
      const place = this.shelf.groups.places(block).find(({ group, index }) =>
        session.isOpen(group) && offers(member, group, index)
      );
      if (place === undefined) {
        if (asking) this.scheduler.refused(session.number, block);
        continue;
      }
      if (asking) {
        session.request(place.group, decision.level, place.index);
        countUp(asked, block);
      } else session.list("cancel", place.group, place.index);
      told.add(session);
    }
    for (const session of told) session.flush();
  }

  async #send({ peer, block }: Upload): Promise<number | undefined> {
    const cid = this.shelf.groups.cid(block);
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.settings.store.read(cid);
    } catch (error) {
      this.#unreadable(cid, error as Error);
    }
    if (this.shelf.groups.number(cid) !== block) return undefined; // forgotten meanwhile
    const member = this.talk.members.get(peer);
    const now = performance.now();
    const place = this.shelf.groups.places(block).find(({ group }) =>
      member?.session.isOpen(group)
    );
    const isAwake = member !== undefined && member.session.stillFor(now) < STILL_MS;
    if (bytes === undefined || place === undefined || !isAwake) {
      this.uploads.cancel(peer, block);
      if (bytes === undefined) this.removed(cid);
      return undefined;
    }
    this.uploads.sent(peer, block, bytes.byteLength, now);
    member.given.give(block, now);
    this.settings.gave?.(cid, bytes.byteLength);
    member.session.sendBlock(place.group, place.index, bytes, this.pump.part);
    return bytes.byteLength;
  }

  #tick(): void {
    if (this.talk.members.size === 0) return;
    const now = performance.now();
    this.scheduler.tick(now);
    this.uploads.tick(now);
    for (const member of this.talk.members.values()) this.#look(member, now);
    this.pump.run();
    this.decideSoon();
  }

  /** Whether a peer takes what it asked for, and gives what it offered. */
  #look(member: Member, now: number): void {
    const { session, asked } = member;
    if (session.stillFor(now) > ASLEEP_MS) {
      return session.drop(new UnreadError("it does not read what it asked for"));
    }
    const stalled = this.scheduler.isStalled(session.number);
    const isNew = stalled && !member.stalled;
    member.stalled = stalled;
    if (
      !isNew || member.gave ||
      ![...asked.keys()].some((block) => this.talk.isOfferedBeside(member, block))
    ) {
      return; // the only one who has something may take its time
    }
    const reason = this.note(member, "silence");
    if (reason !== undefined) session.drop(new WireError(reason));
  }
}
