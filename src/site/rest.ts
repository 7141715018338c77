/**
 * When a folder that changes is at rest, so that it can be published: what happened and the time go in, what to do next comes out.
 * Nothing here reads a clock or a disk.
 *
 * A folder is at rest when nothing was heard of a change for the time of quiet, and a look at it shows that the last change is as
 * old as that; or, where the times on its disk tell nothing (they lie ahead of this machine's clock), that it is what it was at a
 * look that long ago. So a program that writes slowly is waited for, whether or not the system tells of each write.
 *
 * All times are milliseconds of one clock that only goes forward.
 */

export interface RestOptions {
  /** How long nothing must have changed. */
  quiet: number;
  /** How long after trouble it is tried again, if nothing is heard before. */
  retry: number;
}

/** What was seen of the folder: what it is, and how long ago its disk says it changed; or that it cannot be published. */
export type Look = { state: string; age: number } | { trouble: unknown };

export type Step = { do: "wait"; until: number } | { do: "look" } | { do: "publish" };

export interface Rest {
  /** Something changed, as was heard. */
  changed(now: number): void;
  /** @param glance when to look again though nothing is heard, if there is nothing to publish */
  looked(look: Look, glance: number, now: number): void;
  /**
   * @param state what the folder was when it was read
   * @param racy whether it may have changed since then and still be the same: then what is heard counts, not how it looks
   */
  published(state: string, racy: boolean, now: number): void;
  /** It could not be published; `moving`, because it changed meanwhile. */
  failed(moving: boolean, now: number): void;
  next(now: number): Step;
  /** How long there has been something to publish; 0 where there is nothing. */
  waiting(now: number): number;
}

export function createRest({ quiet, retry }: RestOptions): Rest {
  /** What is out. */
  let out: { state: string; racy: boolean } | undefined;
  /** When what is out, or on its way, was found to be at rest. */
  let found = -Infinity;
  let heard = -Infinity;
  let lookAt = -Infinity;
  /** What was seen last, and since when it is that. */
  let seen: { state: string; since: number } | undefined;
  let ready = false;
  /** Since when there is something to publish. */
  let since: number | undefined;

  return {
    changed(now) {
      heard = now;
      since ??= now;
      lookAt = now + quiet;
    },
    looked(look, glance, now) {
      if ("trouble" in look) {
        seen = undefined;
        since = undefined;
        lookAt = now + retry;
        return;
      }
      const { state, age } = look;
      if (state !== seen?.state) seen = { state, since: now };
      if (state === out?.state && !(out.racy && heard > found)) {
        since = undefined;
        lookAt = now + glance;
        return;
      }
      since ??= now;
      const rests = age >= 0 ? now - age : Infinity;
      lookAt = Math.max(heard, Math.min(rests, seen.since)) + quiet;
      ready = lookAt <= now;
      if (ready) found = now;
    },
    published(state, racy, now) {
      out = { state, racy };
      since = undefined;
      again(now);
    },
    failed(moving, now) {
      seen = undefined;
      if (moving) again(now + quiet);
      else {
        since = undefined;
        again(now + retry);
      }
    },
    next(now) {
      if (ready) return { do: "publish" };
      return now >= lookAt ? { do: "look" } : { do: "wait", until: lookAt };
    },
    waiting: (now) => since === undefined ? 0 : now - since,
  };

  /** What was heard of while it was published wants quiet first. */
  function again(at: number): void {
    ready = false;
    lookAt = Math.max(at, heard + quiet);
  }
}
