/**
 * A conversation with one peer over one stream: frames in, frames out, blocks taken apart and put together. It knows groups by
 * their numbers on this stream and leaves every judgement about blocks to who listens.
 */
import type { Stream } from "@libp2p/interface";
import { Bits } from "./bits.ts";
import { Conversation } from "./conversation.ts";
import {
  concat,
  encodeFrame,
  type Frame,
  type Level,
  type ListFrame,
  WANTING,
  WireError,
} from "./frame.ts";
import type { Group } from "./groups.ts";
import type { PeerNumber } from "./holdings.ts";
import { Intake } from "./intake.ts";
import type { Listener, Theirs } from "./listener.ts";
import { Outbox } from "./outbox.ts";
import type { BlockHeader } from "./parse.ts";

/** What may wait to be written besides blocks, in bytes: a peer that reads nothing is not waited for. */
const MAX_UNSENT = 4 * 1024 * 1024;

/** The least data in a part that is not the last, in bytes: a block is not to be drawn out. */
export const MIN_PART = 1_024;

/** A peer that does not read what it asked for. It need not mean harm: a machine may be asleep. */
export class UnreadError extends Error {
  override readonly name = "UnreadError";
}

/** How long news of blocks may wait for more of it, in milliseconds: on a fast line there is a block in every few. */
const SOON_MS = 30;

export class Session {
  readonly number: PeerNumber;
  /** The peer's ID. */
  readonly peer: string;
  readonly #stream: Stream;
  readonly #listener: Listener;
  readonly #conversation = new Conversation();
  readonly #mine = new Map<Group, number>();
  readonly #theirs = new Map<number, Theirs>();
  readonly #lists = new Map<string, Extract<Frame, { indices: number[] }>>();
  readonly #outbox: Outbox;
  #next = 0;
  /** The block that is coming in; no bytes are kept of one that came too late to be cancelled. */
  #incoming: { theirs: Theirs; index: number; bytes: Uint8Array | undefined } | undefined;
  /** How much data the part has that is coming in, which was judged; undefined between parts. */
  #part: number | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #flushed = -Infinity;
  #over = false;

  constructor(
    number: PeerNumber,
    peer: string,
    stream: Stream,
    { listener, flags }: { listener: Listener; flags: number },
  ) {
    this.number = number;
    this.peer = peer;
    this.#stream = stream;
    this.#listener = listener;
    this.#outbox = new Outbox(stream, (error) => this.drop(error));
    stream.inactivityTimeout = Infinity;
    new Intake(stream, {
      findRoom: (header, dataLength) => this.#begin(header, dataLength),
      hear: (frame) => {
        if (frame.type !== "block") this.#conversation.check(frame);
        this.#hear(frame);
      },
      ended: () => this.#finish(),
      failed: (error) => this.drop(error),
    });
    stream.addEventListener("close", ({ error }) => this.#end(error));
    this.#send(encodeFrame({ type: "hello", flags }));
  }

  get isOver(): boolean {
    return this.#over;
  }

  isOpen(group: Group): boolean {
    return this.#mine.has(group);
  }

  /** Groups that are open on this side, and what the peer knows them by, the first opened first. */
  get mine(): ReadonlyMap<Group, number> {
    return this.#mine;
  }

  /** For how long nothing of the blocks that wait has left, in milliseconds; 0 where none waits. */
  stillFor(now: number): number {
    return this.#outbox.stillFor(now);
  }

  open(group: Group, wanting: boolean, count: number, bits: Uint8Array): void {
    const number = this.#next++;
    this.#mine.set(group, number);
    const flags = wanting ? WANTING : 0;
    this.#send(encodeFrame({ type: "open", group: number, cid: group.cid, flags, count, bits }));
  }

  close(group: Group): void {
    const number = this.#mine.get(group);
    if (number === undefined) return;
    this.flush();
    this.#outbox.stop(number);
    this.#mine.delete(group);
    this.#send(encodeFrame({ type: "close", group: number }));
  }

  /** To be told with the next {@link flush}. The group is open. */
  list(type: ListFrame["type"], group: Group, index: number): void {
    this.#add(`${type} ${this.#numberOf(group)}`, () => (
      { type, group: this.#numberOf(group), indices: [] }
    ), index);
  }

  request(group: Group, level: Level, index: number): void {
    this.#add(`${level} ${this.#numberOf(group)}`, () => (
      { type: "request", group: this.#numberOf(group), level, indices: [] }
    ), index);
  }

  /** Sends what was listed, in one piece: a packet costs more than what is in it. */
  flush(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#lists.size === 0) return;
    const frames: Uint8Array[] = [];
    for (const frame of this.#lists.values()) {
      frame.indices = [...new Set(frame.indices)].sort((a, b) => a - b);
      frames.push(encodeFrame(frame));
    }
    this.#lists.clear();
    this.#flushed = performance.now();
    this.#send(concat(frames));
  }

  /** Sends what was listed with what is listed next, but not later than in a moment. */
  flushSoon(): void {
    if (this.#soon !== undefined || this.#over) return;
    const wait = this.#flushed + SOON_MS - performance.now();
    this.#soon = setTimeout(() => this.flush(), Math.max(0, wait));
  }

  /** Sends a block, in frames of so many bytes. The group is open. */
  sendBlock(group: Group, index: number, bytes: Uint8Array, part: number): void {
    this.#outbox.push({ group: this.#numberOf(group), index, bytes, part });
  }

  /** Sends no more of a block. @returns whether nothing of it was sent */
  stopBlock(group: Group, index: number): boolean {
    const number = this.#mine.get(group);
    return number !== undefined && this.#outbox.stop(number, index);
  }

  /** Ends the conversation. */
  drop(why: Error): void {
    this.#stream.abort(why);
    this.#end(why);
  }

  #add(key: string, make: () => Extract<Frame, { indices: number[] }>, index: number): void {
    let frame = this.#lists.get(key);
    if (frame === undefined) this.#lists.set(key, frame = make());
    frame.indices.push(index);
  }

  #numberOf(group: Group): number {
    const number = this.#mine.get(group);
    if (number === undefined) throw new Error(`${group.cid} is not open to ${this.peer}`);
    return number;
  }

  #send(frame: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#stream.send(frame);
      if (this.#stream.writeBufferLength > MAX_UNSENT) {
        this.drop(new UnreadError("it does not read what it is told"));
      }
    } catch (error) {
      this.drop(error as Error);
    }
  }

  #hear(frame: Frame): void {
    if (frame.type === "hello") return;
    if (frame.type === "open") {
      const has = new Bits(frame.count);
      for (let i = 0; i < frame.count; i++) if (frame.bits[i >> 3]! >> (i & 7) & 1) has.add(i);
      const theirs = { cid: frame.cid, open: frame, has };
      this.#theirs.set(frame.group, theirs);
      this.#listener.opened(this, theirs);
      return;
    }
    const theirs = this.#theirs.get(frame.group)!; // the conversation was checked
    switch (frame.type) {
      case "have":
        for (const index of frame.indices) theirs.has.add(index);
        return this.#listener.offered(this, theirs, frame.indices);
      case "lost":
        for (const index of frame.indices) theirs.has.delete(index);
        return this.#listener.withdrawn(this, theirs, frame.indices);
      case "request":
        return this.#listener.requested(this, theirs, frame.level, frame.indices);
      case "cancel":
        return this.#listener.cancelled(this, theirs, frame.indices);
      case "close":
        this.#theirs.delete(frame.group);
        return this.#listener.closed(this, theirs);
      case "block":
        if (this.#part === undefined) this.#begin(frame, frame.data.length)?.set(frame.data);
        return this.#complete(theirs, frame);
    }
  }

  /** A part begins to come in. @returns where its data goes, if that is wanted; the rest of the block is there */
  #begin(header: BlockHeader, dataLength: number): Uint8Array | undefined {
    this.#conversation.checkPart(header, dataLength);
    const { index, offset, size } = header;
    if (dataLength < MIN_PART && offset + dataLength < size) {
      throw new WireError(`a part of ${dataLength} bytes, which is not the last`);
    }
    if (offset === 0) {
      const given = this.#incoming; // up, by beginning another
      if (given?.bytes !== undefined) this.#listener.abandoned(this, given.theirs, given.index);
      const theirs = this.#theirs.get(header.group)!;
      const expected = this.#listener.expects(this, theirs, index);
      this.#incoming = { theirs, index, bytes: expected ? new Uint8Array(size) : undefined };
    }
    this.#part = dataLength;
    return this.#incoming!.bytes?.subarray(offset, offset + dataLength);
  }

  /** The part that was begun last is here. */
  #complete(theirs: Theirs, { index, offset, size }: BlockHeader): void {
    const dataLength = this.#part!;
    this.#part = undefined;
    this.#listener.progressed(this, theirs, index, dataLength);
    if (offset + dataLength < size) return;
    const { bytes } = this.#incoming!;
    this.#incoming = undefined;
    if (bytes !== undefined) this.#listener.received(this, theirs, index, bytes);
  }

  /** The peer says no more, and all was heard. */
  #finish(): void {
    this.#stream.close().catch(() => undefined); // it is over either way
    this.#end(undefined);
  }

  #end(why: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#soon);
    this.#outbox.end();
    this.#listener.ended(this, why);
  }
}
