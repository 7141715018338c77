/** A tracker without a socket: who asks is what the test says, and so is the time. */
import { generateKeyPair } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { Buffer } from "node:buffer";
import { createTrackerApp, type TrackerAppOptions } from "../../gateway/tracker/app.ts";
import { type AnnounceFields, signAnnounce } from "../../src/routing/announce.ts";
import { createTracker, type Tracker, type TrackerOptions } from "../../src/tracker.ts";
import { createFolder } from "./folder.ts";

export const TRACKER = "https://tracker.example.org";
export const ROOT = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
export const SITE = "/ipns/docs.example.org";

/** Somebody who announces. */
export interface Announcer {
  key: PrivateKey;
  id: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any -- whatever it answers is what a test looks at
  json: any;
  text: string;
}

export interface TestTracker extends AsyncDisposable {
  tracker: Tracker;
  /** The time by the tracker's clock, in milliseconds; tests move it. */
  clock: { now: number };
  told: string[];
  /** A request from an address. */
  ask(path: string, from?: string, init?: RequestInit): Promise<Answer>;
  post(path: string, body: unknown, from?: string, init?: RequestInit): Promise<Answer>;
  /** Signs an announce at the tracker's time, and sends it. */
  announce(who: Announcer, fields: Partial<AnnounceFields>, from?: string): Promise<Answer>;
  /** IDs of those that have a root, in the order in which they are told. */
  providers(root?: string, from?: string): Promise<string[]>;
}

/** An address somewhere in the world. */
export const AWAY = "203.0.113.50";

export async function createTestTracker(
  options: Partial<TrackerOptions> & { app?: TrackerAppOptions; clock?: { now: number } } = {},
): Promise<TestTracker> {
  await using starting = new AsyncDisposableStack();
  const { clock = { now: Date.now() } } = options;
  const told: string[] = [];
  const tracker = starting.use(
    await createTracker({
      urls: [TRACKER],
      now: () => clock.now,
      log: (line) => told.push(line),
      dial: () => Promise.resolve(true),
      ...options,
      dir: options.dir ?? starting.use(await createFolder()).path,
    }),
  );
  const app = createTrackerApp(tracker, { log: (line) => told.push(line), ...options.app });
  const ask: TestTracker["ask"] = async (path, client = AWAY, init = {}) => {
    const response = await app.request(`${TRACKER}${path}`, init, { client });
    const text = await response.text();
    const { status, headers } = response;
    const isJson = headers.get("content-type")?.startsWith("application/json") && text !== "";
    return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
  };
  const post: TestTracker["post"] = (path, body, from, init = {}) =>
    ask(path, from, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...init,
    });
  const running = starting.move();
  return {
    tracker,
    clock,
    told,
    ask,
    post,
    async announce({ key }, fields, from) {
      const body = await signAnnounce(key, {
        tracker: TRACKER,
        event: "started",
        time: ++clock.now,
        ...fields,
      });
      return await post("/tracker/v1/announce", body, from);
    },
    async providers(root = ROOT, from) {
      const { json } = await ask(`/routing/v1/providers/${root}`, from);
      return json.Providers.map(({ ID }: { ID: string }) => ID);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export async function createAnnouncer(): Promise<Announcer> {
  const key = await generateKeyPair("Ed25519");
  return { key, id: peerIdFromPrivateKey(key).toString() };
}

/** The same announce with other fields, and the signature that it had. */
export function forged(body: string, fields: object): string {
  const envelope = JSON.parse(body);
  const payload = JSON.parse(Buffer.from(envelope.payload, "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...payload, ...fields })).toString("base64url");
  return JSON.stringify({ ...envelope, payload: changed });
}

/** Where others reach a peer that announced from an address. */
export function at(ip: string, port = 4001): string {
  return `/${ip.includes(":") ? "ip6" : "ip4"}/${ip}/tcp/${port}`;
}
