/** The tracker as a program: started, killed, started again, and damaged. */
import { generateKeyPair } from "@libp2p/crypto/keys";
import { readdirSync } from "node:fs";
import { open, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { signAnnounce } from "../../src/routing/announce.ts";
import { createFolder } from "../helpers/folder.ts";
import { complains, run, start } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";
import { ROOT } from "../helpers/tracker.ts";

suite("tracker: the program", (test) => {
  test("it says where it is, and killed in the middle of a crowd it has every announce that it answered", async () => {
    await using folder = await createFolder();
    const dir = join(folder.path, "tracker");
    const first = await startTracker(dir);
    assert.match(String(first.ready.dns), /^_nethood\.docs\.example\.org\. TXT "tracker=http:/);
    const tokens: string[] = [];
    // One after the other in each of ten, until the tracker is gone.
    const crowd = Array.from({ length: 10 }, async (_, i) => {
      for (let n = 0;; n++) {
        const token = await announce(first.url, i * 1_000 + n).catch(() => undefined);
        if (token === undefined) return;
        tokens.push(token);
        if (tokens.length === 120) first.child.kill("SIGKILL");
      }
    });
    await Promise.all(crowd);
    await first.child.exit;
    assert.ok(tokens.length >= 120);

    const second = await startTracker(dir);
    assert.is(second.ready.id, first.ready.id);
    for (const token of tokens) assert.is(await renew(second.url, token), 200);
    assert.ok(await seeders(second.url) >= tokens.length);
    // And asked to end, it ends at once and says so.
    second.child.kill("SIGTERM");
    assert.is((await second.child.exit).code, 0);
    await using third = await startTracker(dir);
    assert.is(await renew(third.url, tokens[0]!), 200);
  });

  test("a file that was cut short is moved aside, and the tracker begins without announces", async () => {
    for (const harm of [cut, scribble]) {
      await using folder = await createFolder();
      const dir = folder.path;
      const file = join(dir, "tracker.sqlite");
      const first = await startTracker(dir);
      for (let i = 0; i < 200; i++) await announce(first.url, i);
      await first.child.stop();
      await harm(file);
      await using second = await startTracker(dir);
      assert.match(second.child.log + await said(second.child, "note"), /damaged.*begins without/s);
      assert.ok(readdirSync(dir).includes("tracker.sqlite.damaged"), harm.name);
      assert.is(second.ready.id, first.ready.id);
      assert.is(await seeders(second.url), 0);
      assert.ok(await announce(second.url, 1));
      assert.is(await seeders(second.url), 1);
    }
  });

  test("what a person got wrong is a sentence", async () => {
    await using folder = await createFolder({ "rules.json": `{ "keys": { "nonsense": {} } }` });
    const wrong = (words: string[]) => run(["tracker", ...words], { dir: folder.path, place: [] });
    complains(await wrong(["--listen", "7070"]), 2, /Write --listen 0\.0\.0\.0:7070/);
    complains(await wrong(["--listen", "/ip4/0.0.0.0/tcp/7070"]), 2, /host and port/);
    complains(await wrong(["--url", "https://example.org/tracker"]), 2, /It has no path/);
    complains(await wrong(["--rules", "/nowhere.json"]), 2, /cannot be read/);
    const rules = join(folder.path, "rules.json");
    complains(await wrong(["--rules", rules]), 2, /"nonsense" is no CID/);
    complains(await wrong(["--trust-proxy", "x"]), 2, /not an IP address/);
    complains(await wrong(["--peer", "/ip4/1.2.3.4/tcp/1"]), 2, /does not belong/);
    await using running = await startTracker(folder.path);
    const listen = new URL(running.url).host;
    complains(await wrong(["--listen", listen]), 1, /in use .*--listen/s);
    complains(await wrong(["--listen", "127.0.0.1:0"]), 1, /Another tracker is using/);
  });
});

async function startTracker(dir: string) {
  const words = ["tracker", "--listen", "127.0.0.1:0", "--json"];
  const child = start(words, { dir, place: [] });
  const ready = await child.events.until("ready");
  const stop = () => child[Symbol.asyncDispose]();
  return { child, ready, url: String(ready.url), [Symbol.asyncDispose]: stop };
}

/** Somebody new has the root; returns the token. */
async function announce(url: string, i: number): Promise<string> {
  const body = await signAnnounce(await generateKeyPair("Ed25519"), {
    tracker: url,
    event: "started",
    seeds: [ROOT],
    addrs: [`/ip4/127.0.0.1/udp/${i % 60_000 + 1}/quic-v1`],
  });
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(`${url}/tracker/v1/announce`, { method: "POST", body, signal });
  const { token, error } = await response.json();
  if (token === undefined) throw new Error(error);
  return token;
}

async function renew(url: string, token: string): Promise<number> {
  const body = JSON.stringify({ token });
  const response = await fetch(`${url}/tracker/v1/renew`, { method: "POST", body });
  await response.body?.cancel();
  return response.status;
}

async function seeders(url: string): Promise<number> {
  const response = await fetch(`${url}/tracker/v1/scrape?key=${ROOT}`);
  return (await response.json()).keys[ROOT].seeders;
}

async function said(child: Awaited<ReturnType<typeof startTracker>>["child"], event: string) {
  return JSON.stringify(await child.events.until(event));
}

async function cut(file: string): Promise<void> {
  const { byteLength } = await readFile(file);
  await truncate(file, Math.floor(byteLength / 2));
}

/** Bytes of something else in the middle. */
async function scribble(file: string): Promise<void> {
  const { byteLength } = await readFile(file);
  const handle = await open(file, "r+");
  await handle.write(new Uint8Array(byteLength - 4_096).fill(0x5a), 0, byteLength - 4_096, 4_096);
  await handle.close();
}
