/** What is heard on a session, and who listens to it. */
import type { CID } from "multiformats/cid";
import type { Bits } from "./bits.ts";
import type { Level, OpenFrame } from "./frame.ts";
import type { Session } from "./session.ts";

/** A group as the peer has opened it. */
export interface Theirs {
  readonly cid: CID;
  /** The peer's frame: members that it has at first. */
  readonly open: OpenFrame;
  /** Indices that it said to have: a bit each, since a peer may say so much of groups that nobody knows. */
  readonly has: Bits;
}

export interface Listener {
  opened(session: Session, group: Theirs): void;
  offered(session: Session, group: Theirs, indices: number[]): void;
  withdrawn(session: Session, group: Theirs, indices: number[]): void;
  requested(session: Session, group: Theirs, level: Level, indices: number[]): void;
  cancelled(session: Session, group: Theirs, indices: number[]): void;
  closed(session: Session, group: Theirs): void;
  /** Whether a block that begins to come was asked for. @throws {WireError} if it never was */
  expects(session: Session, group: Theirs, index: number): boolean;
  /** A part of a block that was asked for. */
  progressed(session: Session, group: Theirs, index: number, bytes: number): void;
  /** A block that had begun to come will not. */
  abandoned(session: Session, group: Theirs, index: number): void;
  received(session: Session, group: Theirs, index: number, bytes: Uint8Array): void;
  ended(session: Session, why: Error | undefined): void;
}
