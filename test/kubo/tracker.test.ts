/** Kubo, with a tracker as its only router: it opens a site, resolves its key, and publishes with it what readers here take. */
import { delegatedRoutingV1HttpApiClient } from "@helia/delegated-routing-v1-http-api-client";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { createTrackerApp } from "../../gateway/tracker/app.ts";
import { serve } from "../../gateway/serve.ts";
import { parseKey } from "../../src/content/address.ts";
import { exportPem } from "../../src/keys.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createTracker } from "../../src/tracker.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKubo, type Kubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { freePort } from "../helpers/port.ts";
import { OTHER_VALUE } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const SITE = "docs.example.org";
const RECORD = "application/vnd.ipfs.ipns-record";
/** How often the tracker is looked at: it has a limit. */
const LOOK_MS = 250;
const PAGE = "hello through a tracker";

/** A tracker on a socket, and a seeder that announces a site to it and to nobody else. */
async function createSeeded() {
  await using opened = new AsyncDisposableStack();
  const dir = opened.use(await createFolder({ "site/index.html": PAGE })).path;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const tracker = opened.use(await createTracker({ dir: join(dir, "tracker"), urls: [url] }));
  opened.use(await serve(createTrackerApp(tracker), { hostname: "127.0.0.1", port }));
  const node = opened.use(await createLoopbackNode({ trackers: [url] }));
  const site = await createSeeder(node).publish(join(dir, "site"), { name: SITE });
  const told = async () => {
    await sleep(LOOK_MS);
    const { Providers } = await ask(`${url}/routing/v1/providers/${site.cid}`);
    return (Providers ?? []).some(({ ID }: { ID: string }) => ID === node.id);
  };
  await until("the seeder at the tracker", told);
  const has = async () => {
    await sleep(LOOK_MS);
    const { headers } = await fetch(`${url}/routing/v1/ipns/${site.key}`, {
      headers: { Accept: RECORD },
    });
    return headers.get("content-type") === RECORD;
  };
  await until("the record at the tracker", has);
  const kept = opened.move();
  return { dir, url, node, ...site, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

suite("kubo: tracker", (test, left) => {
  test("Helia's routing client finds the seeder and the record at the tracker", async () => {
    await using seeded = await createSeeded();
    const component = () => Object.assign(() => {}, { error: () => {}, trace: () => {} });
    const logger = { forComponent: component } as never; // the client logs, and nobody reads it
    const client = delegatedRoutingV1HttpApiClient({ url: seeded.url, cacheTTL: 0 })({ logger });
    const found: string[] = [];
    for await (const { ID } of client.getProviders(seeded.cid)) found.push(ID.toString());
    assert.equal(found, [seeded.node.helia.libp2p.peerId.toCID().toString()]);
    const name = parseKey(seeded.key)!;
    assert.equal(await client.getIPNS(name), (await seeded.node.names.record(name)).bytes);
  });

  const missing = kuboAvailable();
  const title =
    "Kubo opens a site by root and by key, and publishes the next version for readers here";
  if (missing) return left(title, missing);

  test(title, async () => {
    await using seeded = await createSeeded();
    const { dir, url, key, cid } = seeded;
    await using kubo = await createTrackedKubo(join(dir, "kubo"), url);
    assert.is((await kubo.ipfs(["cat", `/ipfs/${cid}/index.html`])).trim(), PAGE);
    assert.match(await kubo.ipfs(["swarm", "peers"]), seeded.node.id);
    const resolve = ["name", "resolve", "--nocache", `/ipns/${key}`];
    assert.is((await kubo.ipfs(resolve)).trim(), `/ipfs/${cid}`);

    // the owner takes the key to Kubo; a reader who knows only the tracker takes what Kubo signs
    const file = join(dir, "key.pem");
    await writeFile(file, (await exportPem(seeded.node, { name: SITE })).pem);
    const how = ["--ipns-base=base36", "--format=pem-pkcs8-cleartext"];
    assert.is((await kubo.ipfs(["key", "import", ...how, "docs", file])).trim(), key);
    const next = ["--key=docs", "--resolve=false", "--sequence=9"];
    await kubo.ipfs(["name", "publish", ...next, OTHER_VALUE]);
    await using reader = await createLoopbackNode({ trackers: [url] });
    const { value, sequence } = await reader.names.record(parseKey(key)!);
    assert.equal([value, sequence], [OTHER_VALUE, 9n]);
  });
});

function createTrackedKubo(dir: string, url: string): Promise<Kubo> {
  const method = { RouterName: "tracker" };
  const methods = ["find-providers", "find-peers", "get-ipns", "put-ipns", "provide"];
  return createKubo({
    dir,
    routing: {
      Type: "custom",
      Routers: { tracker: { Type: "http", Parameters: { Endpoint: url } } },
      Methods: Object.fromEntries(methods.map((name) => [name, method])),
    },
  });
}

// deno-lint-ignore no-explicit-any -- whatever it answers is what a test looks at
async function ask(url: string): Promise<any> {
  return await (await fetch(url)).json();
}
