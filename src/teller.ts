/** What the program says: sentences for a person, or the same events as JSON lines for a program. */
import type { Writable } from "node:stream";
import type { Imported } from "./content/car.ts";
import type { FileEntry } from "./content/read.ts";
import type { KeepProgress, Whole } from "./content/whole.ts";
import type { AddProgress } from "./content/write.ts";
import { NethoodError, systemCode } from "./errors.ts";
import type { Node } from "./node.ts";
import { printable } from "./printable.ts";
import { createPace, duration } from "./progress.ts";
import type { Published } from "./seeder.ts";
import { size } from "./size.ts";
import { count, percent, publishedText, readyText } from "./texts.ts";

/** How often progress is told, in milliseconds: on a terminal it is one line that changes, elsewhere a new line each time. */
const TERMINAL_MS = 100, LINES_MS = 2_000;

/** A download that takes no longer than this, in milliseconds, needs no progress. */
const QUIET_MS = 1_000;

type Bytes = AsyncIterable<Uint8Array>;

export interface Teller {
  ready(node: Node, gateway: string): void;
  /** How far the hashing of a folder has come. */
  hashing(progress: AddProgress): void;
  published(published: Published, gateway: string): void;
  /** The same bytes, with progress told as they pass. */
  receiving(bytes: Bytes, size: number): Bytes;
  received(entry: FileEntry, file: string): void;
  /** Tells how far the keeping of everything below an address has come. */
  keeping(command: "keep" | "get"): (progress: KeepProgress) => void;
  kept(whole: Whole, address: string): void;
  /** What was kept is in a folder, too. */
  saved(whole: Whole, files: number, dir: string): void;
  /** How far the reading of a CAR file has come. */
  importing(progress: Omit<Imported, "roots">): void;
  imported(imported: Imported & { missing: number }): void;
  /** News of any kind: an event for a program, its text (of one line or more, or none) for a person. */
  tell(event: string, data: object, text: string): void;
  /** The same of how far something has come: now and then. */
  progress(event: string, data: object, text: string): void;
  note(line: string): void;
  failure(error: unknown): void;
}

export function createTeller(
  { stdout, stderr }: { stdout: Writable; stderr: Writable },
  { json = false, debug = false }: { json?: boolean; debug?: boolean } = {},
): Teller {
  const terminal = (stderr as { isTTY?: boolean }).isTTY === true;
  // A program is told at once that it began; a person who waits a moment needs nothing.
  let toldAt = json ? 0 : Date.now();
  let hashed = false;
  /** Whether the last line of a terminal is progress, to be written over. */
  let lineOpen = false;

  function event(event: string, data: object): void {
    // JSON leaves C1 controls as they are, which a terminal obeys like an escape.
    const json = JSON.stringify({ event, ...data }).replace(
      /[\x7f-\x9f]/g,
      (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
    );
    stdout.write(`${json}\n`);
  }

  function line(text: string, to = stdout): void {
    if (lineOpen) stderr.write("\n");
    lineOpen = false;
    to.write(`${printable(text)}\n`);
  }

  /** What has several lines of its own: those after the first begin with `indent`. */
  function lines(text: string, to = stdout, indent = ""): void {
    const [first, ...more] = text.split("\n");
    line(first!, to);
    for (const further of more) line(indent + further, to);
  }

  /** A line that replaces the one before it, where there is a terminal. */
  function passing(text: string): void {
    if (!terminal) return line(text, stderr);
    stderr.write(`\r${text}\x1b[K`);
    lineOpen = true;
  }

  /** Whether it is time to tell progress again. */
  function due(): boolean {
    const now = Date.now();
    if (now - toldAt < (terminal && !json ? TERMINAL_MS : LINES_MS)) return false;
    toldAt = now;
    return true;
  }

  return {
    ready(node, gateway) {
      const { id, addresses, dir, peers } = node;
      for (const type of ["peer:connect", "peer:disconnect"] as const) {
        node.helia.libp2p.addEventListener(type, ({ detail }) => {
          if (json) event(type, { id: String(detail) });
          else line(`${type === "peer:connect" ? "Neighbour" : "Gone"}: ${detail}`);
        });
      }
      if (json) return event("ready", { id, addresses, gateway, dir, peers });
      lines(readyText({ id, addresses, dir, peers }, gateway));
    },

    hashing(progress) {
      const { files, totalFiles, bytes, totalBytes } = progress;
      const whole = files === totalFiles && bytes === totalBytes;
      if (hashed || !due() && !whole) return;
      hashed = whole;
      if (json) return event("seed:progress", progress);
      passing(
        `Hashing: ${percent(bytes, totalBytes)}, ${files} of ${count(totalFiles, "file")}, ` +
          `${size(bytes)} of ${size(totalBytes)}`,
      );
    },

    published(published, gateway) {
      const { cid, key, site, dnslink, files, bytes, skipped, outside, secrets } = published;
      const { version, unchanged, changes } = published;
      if (json) {
        return event("seed:done", {
          cid: String(cid),
          name: key,
          site,
          dnslink,
          files,
          bytes,
          skipped,
          outside,
          secrets,
          version: version.number,
          versionCid: String(version.cid),
          unchanged,
          changes,
        });
      }
      for (const { path, why } of skipped) line(`Left out: ${path}: ${why}.`);
      for (const path of outside) {
        line(`Note: ${path} is a link to something outside the folder; its content is published.`);
      }
      for (const path of secrets) {
        line(`Note: ${path} holds a private key, and everybody can read it now.`);
      }
      lines(publishedText(published, gateway));
    },

    async *receiving(bytes, total) {
      const began = Date.now();
      let got = 0;
      for await (const chunk of bytes) {
        yield chunk;
        got += chunk.byteLength;
        const ms = Date.now() - began;
        if (ms < QUIET_MS || !(terminal || json) || !due()) continue;
        const rate = Math.round(got * 1000 / ms);
        if (json) event("get:progress", { bytes: got, totalBytes: total, rate });
        else passing(`${percent(got, total)}, ${size(got)} of ${size(total)}, ${size(rate)}/s`);
      }
    },

    received({ cid, size: bytes }, file) {
      if (json) event("get:done", { file, bytes, cid: String(cid) });
      else if (terminal) line(`Saved ${file}: ${size(bytes)}.`, stderr);
    },

    keeping(command) {
      const pace = createPace();
      return (progress) => {
        if (progress.type !== "content:keep:block" || !due()) return;
        const { blocks, bytes, fetched, totalBytes, peers } = progress;
        const left = totalBytes === undefined ? undefined : Math.max(0, totalBytes - bytes);
        const { rate, secondsLeft } = pace(fetched, left);
        if (json) {
          const now = { blocks, bytes, fetched, totalBytes, peers, rate, secondsLeft };
          return event(`${command}:progress`, now);
        }
        if (command === "get" && !terminal) return;
        const words = [
          ...(left === undefined
            ? [size(bytes)]
            : [percent(bytes, bytes + left), `${size(bytes)} of ${size(bytes + left)}`]),
          `from ${count(peers, "peer")}`,
          ...(rate === undefined ? [] : [`${size(rate)}/s`]),
          ...(secondsLeft === undefined ? [] : [`${duration(secondsLeft)} left`]),
        ];
        passing(words.join(", "));
      };
    },

    kept({ cid, blocks, bytes, fetched }, address) {
      if (json) return event("keep:done", { address, cid: String(cid), blocks, bytes, fetched });
      line(`Kept ${address}: ${size(bytes)}, of which ${size(fetched)} came from others.`);
    },

    saved({ cid, bytes }, files, dir) {
      if (json) event("get:done", { file: dir, bytes, files, cid: String(cid) });
      else if (terminal) line(`Saved ${dir}: ${count(files, "file")}, ${size(bytes)}.`, stderr);
    },

    importing({ blocks, bytes }) {
      if (!due()) return;
      if (json) return event("import:progress", { blocks, bytes });
      passing(`${count(blocks, "block")}, ${size(bytes)}`);
    },

    imported({ roots, blocks, bytes, missing }) {
      if (json) {
        return event("import:done", { roots: roots.map(String), blocks, bytes, missing });
      }
      line(`${count(blocks, "block")} taken in, ${size(bytes)}.`);
      line(
        roots.length > 0 ? "Roots:" : "Note: the file names no root, so nothing in it is pinned.",
      );
      for (const root of roots) line(`  ${root}`);
      if (missing > 0) {
        line(`Note: ${count(missing, "block")} below them were not in the file, and are not here.`);
      }
    },

    tell(name, data, text) {
      if (json) event(name, data);
      else if (text !== "") lines(text);
    },

    progress(name, data, text) {
      if (!due()) return;
      if (json) event(name, data);
      else passing(text);
    },

    note(text) {
      if (json) event("note", { text });
      else lines(text, stderr, "  "); // A stack or a stranger: no line of it passes for news of its own.
    },

    failure(error) {
      const { message, hint, code } = explain(error);
      if (json) event("error", { code, message, hint });
      line(`nethood: ${message}`, stderr);
      if (hint) line(`         ${hint}`, stderr);
      if (debug && error instanceof Error) lines(String(error.stack), stderr, "  ");
    },
  };
}

function explain(error: unknown): { message: string; hint?: string | undefined; code: string } {
  if (error instanceof NethoodError) return error;
  const code = systemCode(error) ?? "UNEXPECTED";
  const message = error instanceof Error ? error.message.split("\n")[0]! : String(error);
  return {
    message,
    hint: "This was not foreseen. Please report it, with what --debug adds to it.",
    code,
  };
}
