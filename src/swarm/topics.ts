/** Which groups are talked about: those that are read here, and those that peers brought up; and which goes if they are too many. */
import type { Group } from "./groups.ts";
import { type Member, opensMost } from "./members.ts";

/** Groups talked about at once: some tens of megabytes, if each has a hundred members. */
const MAX_GROUPS = 2_048;

/** Of these, groups that are read here and nobody brought up: fewer than a peer takes. */
const MAX_READ = 768;

export class Topics {
  /** Read here, the one used last at the end. */
  readonly #read = new Set<Group>();
  /** Brought up by peers and not read here, in that order. */
  readonly #raised = new Set<Group>();

  /** Groups that are read here, or were. */
  get read(): ReadonlySet<Group> {
    return this.#read;
  }

  /** A group is used by a reader here. */
  use(group: Group): void {
    this.#raised.delete(group);
    this.#read.delete(group);
    this.#read.add(group);
  }

  /** A peer brought a group up. */
  raise(group: Group): void {
    if (!this.#read.has(group)) this.#raised.add(group);
  }

  delete(group: Group): void {
    this.#read.delete(group);
    this.#raised.delete(group);
  }

  /**
   * The group to go, if there are too many: of those that were read here the one that was not for longest; of those that were
   * brought up the oldest of the peer that has most, which can so crowd out nobody but itself.
   */
  surplus(members: Iterable<Member>, isWanted: (group: Group) => boolean): Group | undefined {
    if (this.#read.size > MAX_READ) {
      for (const group of this.#read) if (!isWanted(group)) return group;
    }
    if (this.#read.size + this.#raised.size <= MAX_GROUPS) return undefined;
    const most = opensMost(members);
    for (const group of this.#raised) if (most?.groups.has(group.key)) return group;
    return this.#raised.values().next().value;
  }
}
