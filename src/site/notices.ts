/**
 * What the system tells of changes in folders (`fs.watch`, recursive: inotify on Linux, FSEvents on macOS). It is a hint that makes
 * things quick: what is missed is found by the next look. Not told of are links that lead to a file elsewhere, what another
 * machine writes on a network disk, and what is written through a memory map.
 */
import { type FSWatcher, type Stats, statSync, watch } from "node:fs";
import { systemCode } from "../errors.ts";

export interface Notices {
  /** Watches these folders and no others, as far as they are there; one that was replaced by another is watched anew. */
  attend(dirs: string[]): void;
  /** Why a folder cannot be watched; undefined where all are that there are. */
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
  let trouble: string | undefined;

  return {
    attend(dirs) {
      for (const dir of watched.keys()) if (!dirs.includes(dir)) leave(dir);
      trouble = undefined;
      for (const dir of dirs) attendOne(dir);
    },
    get trouble() {
      return trouble;
    },
    stop() {
      for (const dir of watched.keys()) leave(dir);
    },
  };

  function attendOne(dir: string): void {
    const info = statSync(dir, { throwIfNoEntry: false });
    const identity = info?.isDirectory() ? identityOf(info) : undefined;
    if (watched.get(dir)?.identity === identity) return;
    leave(dir);
    if (identity === undefined) return;
    try {
      const watcher = watch(dir, { recursive: true }, (_, name) => {
        // How both runtimes tell that the folder itself is gone. The inode may be given to the next one.
        if (name === "" || name === null) forget(dir, watcher);
        changed();
      });
      watcher.on("error", (error) => {
        forget(dir, watcher);
        trouble ??= why(error);
        changed();
      });
      watched.set(dir, { watcher, identity });
    } catch (error) {
      trouble ??= why(error);
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

function why(error: unknown): string {
  const told = error instanceof Error ? error.message : String(error);
  const code = systemCode(error);
  // Deno has the sentence alone.
  const full = code === "ENOSPC" || code === "EMFILE" || /limit|too many|no space/i.test(told);
  return full
    ? "this system's limit of watches is reached (on Linux it is raised with: sysctl fs.inotify.max_user_watches=1048576)"
    : told.split("\n", 1)[0]!;
}
