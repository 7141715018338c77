/** The tracker as a program on loopback, and what is asked of it over HTTP. */
import { generateKeyPair } from "@libp2p/crypto/keys";
import { type AnnounceFields, signAnnounce } from "../../src/routing/announce.ts";
import type { Child, Event } from "./process.ts";
import { start } from "./program.ts";
import { ROOT } from "./tracker.ts";

/** How long an answer may take, in milliseconds: longer than a tracker waits for its store. */
const ANSWER_MS = 10_000;

export interface TrackerProgram extends AsyncDisposable {
  readonly child: Child;
  readonly ready: Event;
  /** Where it listens. */
  readonly url: string;
}

export interface Told {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any -- whatever it answers is what a test looks at
  json: any;
}

/** @param words more of its command line */
export async function startTracker(
  dir: string,
  words: string[] = [],
  env: Record<string, string> = {},
): Promise<TrackerProgram> {
  const line = ["tracker", "--listen", "127.0.0.1:0", "--json", ...words];
  const child = start(line, { dir, place: [], env });
  const ready = await child.events.until("ready");
  const stop = () => child[Symbol.asyncDispose]();
  return { child, ready, url: String(ready.listen), [Symbol.asyncDispose]: stop };
}

export async function ask(url: string, path: string, body?: string): Promise<Told> {
  const response = await fetch(`${url}${path}`, {
    ...(body !== undefined && { method: "POST", body }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const { status, headers } = response;
  return { status, headers, json: await response.json() };
}

/** An announce of somebody new who has the root, signed. */
export async function newAnnounce(
  tracker: string,
  fields: Partial<AnnounceFields> = {},
): Promise<string> {
  return await signAnnounce(await generateKeyPair("Ed25519"), {
    ...{ tracker, event: "started", seeds: [ROOT] },
    addrs: ["/ip4/127.0.0.1/udp/4001/quic-v1"],
    ...fields,
  });
}

export function renewal(token: string): string {
  return JSON.stringify({ token });
}
