/**
 * One of the servers that the tracker's bench compares, as a program of its own: `tracker N` with so many announces, `bare` with
 * the same answer from a Hono route, `bittorrent`, or `verify`, which only checks signatures; and `shared N URL`, a tracker on a
 * Redis. It prints its URL as JSON.
 */
import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Hono } from "hono";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { create } from "multiformats/hashes/digest";
import { serve } from "../../gateway/serve.ts";
import { createTrackerApp } from "../../gateway/tracker/app.ts";
import { keyId } from "../../src/routing/key.ts";
import { createTracker } from "../../src/tracker.ts";
import { parseStoreUrl } from "../../src/tracker/redis-url.ts";
import { SqliteStore } from "../../src/tracker/sqlite.ts";
import type { TrackerStore } from "../../src/tracker/store.ts";

/** Peers that have one key, on average. */
const PEERS_OF_KEY = 10;

/** How many of the keys and tokens are told to whoever asks. */
const TOLD = 10_000;

const KINDS: Record<string, (dir: string, count: number, url: string) => Promise<object>> = {
  tracker: (dir, count) => tracker(dir, count, new SqliteStore(dir)),
  shared,
  bare,
  bittorrent,
  verify: verifications,
};

const [kind = "", dir = "", count = "0", url = ""] = process.argv.slice(2);
const told = await KINDS[kind]!(dir, Number(count), url);
console.log(JSON.stringify({ event: "ready", ...told }));

/** So many announces by as many peers, over a tenth as many keys; then a tracker with them. */
async function tracker(dir: string, count: number, store: TrackerStore) {
  const keys = Array.from({ length: Math.ceil(count / PEERS_OF_KEY) }, randomRoot);
  const tokens: string[] = [];
  const now = Date.now();
  const began = performance.now();
  for (let i = 0; i < count;) {
    const batch = [];
    const end = Math.min(count, i + 1_000);
    for (; i < end; i++) {
      const ip = `192.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}`;
      batch.push(store.announce({
        id: randomId(),
        ...{ time: now, now, ttl: 24 * 3_600, given: 0, event: "started" },
        ...{ seeds: [keyId(keys[i % keys.length]!)], reads: [], from: ip },
        network: ip.slice(0, ip.lastIndexOf(".")),
        addrs: {
          world: [`/ip4/${ip}/tcp/4001`, `/ip4/${ip}/udp/4001/quic-v1`],
          ...{ network: ["/ip4/192.168.1.5/tcp/4001"], machine: [], claimed: [] },
        },
      }));
    }
    for (const done of await Promise.all(batch)) {
      if (tokens.length < TOLD) tokens.push(done!.token);
    }
  }
  const filled = performance.now() - began;
  if (count > 0) writeFileSync(join(dir, "keys"), keys.slice(0, TOLD).join("\n"));
  writeFileSync(join(dir, "tokens"), tokens.join("\n"));
  const urls = ["http://127.0.0.1"];
  const running = await createTracker({ dir, urls, store, dial: () => Promise.resolve(false) });
  const { url } = await serve(createTrackerApp(running), { port: 0 });
  return { url, filled };
}

async function shared(dir: string, count: number, url: string) {
  const { RedisStore } = await import("../../src/tracker/redis.ts");
  return await tracker(dir, count, await RedisStore.open(parseStoreUrl(url)));
}

/** A bare route, which gives an answer of the tracker's, with the same headers. */
async function bare(dir: string) {
  const { readFileSync } = await import("node:fs");
  const { text, headers } = JSON.parse(readFileSync(join(dir, "answer"), "utf8"));
  const app = new Hono();
  app.get("/routing/v1/providers/:cid", () => new Response(text, { headers }));
  return { url: (await serve(app, { port: 0 })).url };
}

async function bittorrent() {
  const name = "bittorrent-tracker/server"; // It has no types.
  const { default: Server } = await import(name);
  const server = new Server({ udp: false, ws: false, stats: false });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.http.address().port}` };
}

/** Checks a second, each with a key that was not seen before, as first announces have. */
function verifications() {
  const made = Array.from({ length: 2_000 }, () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const data = randomBytes(400);
    const der = publicKey.export({ format: "der", type: "spki" });
    return { der, data, signature: sign(null, data, privateKey) };
  });
  const check = ({ der, data, signature }: typeof made[number]) =>
    verify(null, data, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
  made.forEach(check);
  const began = performance.now();
  let checked = 0;
  while (performance.now() - began < 2_000) {
    for (const one of made) if (check(one)) checked++;
  }
  return Promise.resolve({ rate: checked / (performance.now() - began) * 1000 });
}

function randomRoot(): CID {
  return CID.createV1(0x70, create(0x12, randomBytes(32)));
}

function randomId(): string {
  const id = Buffer.concat([Buffer.from("002408011220", "hex"), randomBytes(32)]);
  return base58btc.encode(id).slice(1);
}
