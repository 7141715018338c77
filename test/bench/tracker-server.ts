/**
 * One of the servers that the tracker's bench compares, as a program of its own: `tracker`, `bare` with the same answer from a
 * Hono route, or `bittorrent`. It prints its URL as JSON. `fill N` gives a tracker so many announces, and `verify` only checks
 * signatures.
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
import { placeOfPeer } from "../../src/tracker/hash.ts";
import { parseStoreUrl } from "../../src/tracker/redis-url.ts";
import { SqliteStore } from "../../src/tracker/sqlite.ts";
import type { TrackerStore } from "../../src/tracker/store.ts";

/** Peers that have one key, on average. */
const PEERS_OF_KEY = 10;

/** How many of the keys and tokens are told to whoever asks. */
const TOLD = 10_000;

const KINDS: Record<string, (dir: string, count: number, url: string) => Promise<object>> = {
  fill,
  tracker,
  bare,
  bittorrent,
  verify: verifications,
};

const [kind = "", dir = "", count = "0", url = ""] = process.argv.slice(2);
const told = await KINDS[kind]!(dir, Number(count), url);
console.log(JSON.stringify({ event: "ready", ...told }));

/**
 * So many announces by as many peers, over a tenth as many keys, given to the store itself. In a process of its own: what making
 * them up takes is no memory of a tracker's.
 */
async function fill(dir: string, count: number, url: string) {
  await using store = await openStore(dir, url);
  const keys = Array.from({ length: Math.ceil(count / PEERS_OF_KEY) }, randomRoot);
  const ids = keys.map(keyId);
  const tokens: string[] = [];
  const now = Date.now();
  const began = performance.now();
  for (let i = 0; i < count;) {
    const batch = [];
    const end = Math.min(count, i + 1_000);
    for (; i < end; i++) {
      const id = randomId();
      const ip = `192.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}`;
      batch.push(store.announce({
        ...{ id, place: placeOfPeer(id) },
        ...{ time: now, now, ttl: 24 * 3_600, given: 0, event: "started" },
        ...{ seeds: [ids[i % ids.length]!], reads: [], from: ip },
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
  writeFileSync(join(dir, "keys"), keys.slice(0, TOLD).join("\n"));
  writeFileSync(join(dir, "tokens"), tokens.join("\n"));
  return { seconds: (performance.now() - began) / 1000 };
}

async function tracker(dir: string, _count: number, url: string) {
  const began = performance.now();
  const urls = ["http://127.0.0.1"];
  const store = await openStore(dir, url);
  const running = await createTracker({ dir, urls, store, dial: () => Promise.resolve(false) });
  const server = await serve(createTrackerApp(running), { port: 0 });
  return { url: server.url, seconds: (performance.now() - began) / 1000 };
}

/** Where a tracker keeps its announces: in a Redis, or in its folder. */
async function openStore(dir: string, url: string): Promise<TrackerStore> {
  if (url === "") return new SqliteStore(dir);
  const { RedisStore } = await import("../../src/tracker/redis.ts");
  return await RedisStore.open(parseStoreUrl(url));
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

/** Checks a second, each with a key that was not seen before, as first announces have: by node:crypto, and by WebCrypto. */
async function verifications() {
  const made = Array.from({ length: 2_000 }, () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const data = randomBytes(400);
    const der = publicKey.export({ format: "der", type: "spki" });
    return { der, data, signature: sign(null, data, privateKey) };
  });
  type Made = typeof made[number];
  const native = ({ der, data, signature }: Made) =>
    verify(null, data, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
  const web = async ({ der, data, signature }: Made) => {
    const bytes = new Uint8Array(der.subarray(-32));
    const key = await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
    const [signed, by] = [new Uint8Array(data), new Uint8Array(signature)];
    return await crypto.subtle.verify("Ed25519", key, by, signed);
  };
  const rate = async (check: (one: Made) => boolean | Promise<boolean>) => {
    for (const one of made) await check(one);
    const began = performance.now();
    let checked = 0;
    while (performance.now() - began < 2_000) {
      for (const one of made) if (await check(one)) checked++;
    }
    return checked / (performance.now() - began) * 1000;
  };
  return { native: await rate(native), web: await rate(web) };
}

function randomRoot(): CID {
  return CID.createV1(0x70, create(0x12, randomBytes(32)));
}

function randomId(): string {
  const id = Buffer.concat([Buffer.from("002408011220", "hex"), randomBytes(32)]);
  return base58btc.encode(id).slice(1);
}
