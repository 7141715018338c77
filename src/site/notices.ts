/**
 * What the system tells of changes in folders (`fs.watch`: inotify on Linux, FSEvents on macOS). It is a hint that makes things
 * quick: what is missed is found by the next look. Not told of are files elsewhere that links lead to, what another machine writes
 * on a network disk, what is written through a memory map, and, by Deno, a new symbolic link, also where one was just removed
 * (one that is renamed into its place is).
 */
import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import process from "node:process";
import { systemCode } from "../errors.ts";

/**
 * Whether one watch is to stand for all that is below a folder. On Linux Node makes it out of one for each file, and loses sight
 * of those that are replaced by a rename: there each folder gets its own. Deno has one that is right, but takes one of the
 * system's few inotify instances for each.
 */
const DEEP = process.platform !== "linux" || process.versions.deno !== undefined;

export interface Place {
  /** The folder itself, and those elsewhere that links in it lead to. */
  tops: string[];
  /** Every folder in them. */
  folders: string[];
}

export interface Notices {
  /**
   * Watches what is there of this and nothing else; a folder that was replaced by another is watched anew.
   *
   * @returns whether something is watched that was not before: what happened there until now was not told
   */
  attend(place: Place): boolean;
  /** Why something cannot be watched; undefined where all is. */
  readonly trouble: string | undefined;
  stop(): void;
}

interface Watched {
  watcher: FSWatcher;
  /** Which folder it is: another may stand in its place by now. */
  identity: string;
}

export function createNotices(changed: () => void): Notices {
  const watched = new Map<string, Watched>();
  /** Which folders could not be watched, and why: they are not tried again, since each try would fail in its own time. */
  const failed = new Map<string, { identity: string; why: string }>();

  return {
    attend({ tops, folders }) {
      const wanted = new Set(DEEP ? tops : [...tops, ...folders]);
      for (const dir of watched.keys()) if (!wanted.has(dir)) leave(dir);
      for (const dir of failed.keys()) if (!wanted.has(dir)) failed.delete(dir);
      let more = false;
      for (const dir of wanted) if (attendOne(dir)) more = true;
      return more;
    },
    get trouble() {
      return failed.values().next().value?.why;
    },
    stop() {
      for (const dir of watched.keys()) leave(dir);
    },
  };

  function attendOne(dir: string): boolean {
    const info = statSync(dir, { throwIfNoEntry: false });
    const identity = info?.isDirectory() ? identityOf(info) : undefined;
    if (watched.get(dir)?.identity === identity && identity !== undefined) return false;
    if (failed.get(dir)?.identity === identity && identity !== undefined) return false;
    leave(dir);
    failed.delete(dir);
    if (identity === undefined) return false;
    try {
      const watcher = watch(dir, { recursive: DEEP }, (_, name) => {
        // How it is told that the folder itself is gone. Its inode may be given to the next one.
        if (name === "" || name === null) forget(dir, watcher);
        changed();
      });
      watcher.on("error", (error) => {
        forget(dir, watcher);
        failed.set(dir, { identity, why: reason(error) });
        changed();
      });
      watched.set(dir, { watcher, identity });
      return true;
    } catch (error) {
      failed.set(dir, { identity, why: reason(error) });
      return false;
    }
  }

  function leave(dir: string): void {
    watched.get(dir)?.watcher.close();
    watched.delete(dir);
  }

  /** The watcher may have been replaced already. */
  function forget(dir: string, watcher: FSWatcher): void {
    watcher.close();
    if (watched.get(dir)?.watcher === watcher) watched.delete(dir);
  }
}

function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev} ${ino} ${birthtimeMs}`;
}

function reason(error: unknown): string {
  const told = error instanceof Error ? error.message : String(error);
  const code = systemCode(error);
  // Deno has the sentence alone.
  const full = code === "ENOSPC" || code === "EMFILE" || /limit|too many|no space/i.test(told);
  return full
    ? "this system's limit of watches is reached (on Linux it is raised with: sysctl fs.inotify.max_user_watches=1048576)"
    : told.split("\n", 1)[0]!;
}
