/**
 * A folder that is published whenever it has changed and is at rest again. What cannot be published now (a folder that is gone or
 * empty, a file that may not be read, a full disk) is told once and waited for; the version before it stays.
 */
import { type Folder, folderState, scanFolder } from "../content/folder.ts";
import { createPauses } from "../pause.ts";
import { NethoodError } from "../errors.ts";
import { createNotices, type Place } from "./notices.ts";
import { createRest, type Look } from "./rest.ts";

/** How long nothing must have changed, in milliseconds: programs that write a site pause for less. */
export const QUIET_MS = 1_000;

/** How often the folder is looked at though nothing is heard of it, in milliseconds; and where nothing can be heard. */
const GLANCE_MS = 10_000, DEAF_GLANCE_MS = 1_000;

/** Of a large folder, a look takes this part of the time at most. */
const GLANCE_SHARE = 1 / 20;

/** When it is tried again after trouble that nothing was heard to change, in milliseconds: a disk has room again in silence. */
const RETRY_MS = 5_000;

/** How long a folder may go on changing before that is told, in milliseconds. */
const BUSY_MS = 30_000;

export interface WatchOptions<Version> {
  /** Publishes what is in the folder, if it is at rest all the while ({@link AddOptions.steady}). */
  publish(options: { signal: AbortSignal }): Promise<Version>;
  /** Called after each publication. */
  onVersion(version: Version): Promise<void> | void;
  /** Told what keeps it from publishing, as sentences. */
  onTrouble(text: string): void;
  /** Whether hidden files are published. Default: false. */
  hidden?: boolean | undefined;
  /** How long nothing must have changed, in milliseconds. Default: 1,000. */
  quiet?: number | undefined;
  /** When it is tried again after trouble, in milliseconds. Default: 5,000. */
  retry?: number | undefined;
  signal: AbortSignal;
}

export interface SiteWatch extends AsyncDisposable {
  /** Ends it, and what it is publishing; the version before stays. */
  stop(): Promise<void>;
}

/**
 * Publishes a folder, then again after every change, until it is stopped. It returns when the first version is out.
 *
 * @throws {NethoodError} what publishing throws the first time; SITE_CHANGED alone is waited for
 */
export async function watchSite<Version extends { state: string; racy: boolean }>(
  dir: string,
  options: WatchOptions<Version>,
): Promise<SiteWatch> {
  const { quiet = QUIET_MS, retry = RETRY_MS, hidden = false } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const rest = createRest({ quiet, retry });
  const pauses = createPauses(signal);
  const notices = createNotices(() => {
    rest.changed(performance.now());
    pauses.wake();
  });
  let told: string | undefined;
  let deafTold: string | undefined;
  let first = true;

  try {
    while (first) await step();
  } catch (error) {
    notices.stop();
    throw error;
  }
  const running = (async () => {
    while (!signal.aborted) await step();
  })().finally(() => notices.stop());
  const stop = async () => {
    over.abort(new NethoodError("STOPPED", "The folder is watched no longer."));
    await running;
  };
  return { stop, [Symbol.asyncDispose]: stop };

  async function step(): Promise<void> {
    if (first) signal.throwIfAborted();
    const now = performance.now();
    const next = rest.next(now);
    if (rest.waiting(now) > BUSY_MS) {
      tell(
        `${dir} has been changing for ${
          BUSY_MS / 1000
        } seconds: it is published when nothing changes for ${quiet / 1000} s.`,
      );
    }
    if (next.do === "wait") await pauses.pause(next.until - now);
    else if (next.do === "look") await look();
    else await publish();
  }

  async function look(): Promise<void> {
    const began = performance.now();
    let seen: Look;
    try {
      let folder: Folder;
      // Watched before it is looked at: what changes after the look is heard of.
      do folder = await scanFolder(dir, { hidden, signal }); while (
        notices.attend(placeOf(folder))
      );
      seen = describe(folder);
    } catch (error) {
      notices.attend({ tops: [dir], folders: [] });
      seen = { trouble: error };
    }
    if (signal.aborted) return;
    const now = performance.now();
    if ("trouble" in seen) fail(seen.trouble);
    const deaf = notices.trouble;
    if (deaf !== undefined && deaf !== deafTold) {
      options.onTrouble(
        `Changes in ${dir} are noticed later than usual, by looking at it again and again: ${deaf}.`,
      );
    }
    deafTold = deaf;
    const usual = deaf === undefined ? GLANCE_MS : DEAF_GLANCE_MS;
    rest.looked(seen, Math.max(usual, (now - began) / GLANCE_SHARE), now);
  }

  function placeOf({ items, linked }: Folder): Place {
    const folders = items.filter(({ kind }) => kind === "directory").map(({ file }) => file);
    return { tops: [dir, ...linked], folders };
  }

  function describe(folder: Folder): Look {
    if (!folder.items.some(({ kind }) => kind === "file")) {
      return { trouble: new NethoodError("BAD_SITE", `There is no file in ${dir}.`) };
    }
    return { state: folderState(folder), age: Date.now() - folder.changed };
  }

  async function publish(): Promise<void> {
    try {
      const version = await options.publish({ signal });
      rest.published(version.state, version.racy, performance.now());
      told = undefined;
      await options.onVersion(version);
      first = false;
    } catch (error) {
      if (signal.aborted) return;
      const moving = error instanceof NethoodError && error.code === "SITE_CHANGED";
      rest.failed(moving, performance.now());
      if (!moving) fail(error);
    }
  }

  /** Nothing is out yet: then it is an error like any other. */
  function fail(error: unknown): void {
    if (first) throw error;
    const text = error instanceof Error ? error.message : String(error);
    const hint = error instanceof NethoodError && error.hint ? ` ${error.hint}` : "";
    tell(`${text}${hint} The version before stays until this is over.`);
  }

  function tell(text: string): void {
    if (text === told) return;
    told = text;
    options.onTrouble(text);
  }
}
