/** A stock Helia whose delegated router is a tracker opens a whole site: its name, its folders, every file. */
import { Buffer } from "node:buffer";
import { ipns } from "@helia/ipns";
import { unixfs } from "@helia/unixfs";
import type { CID } from "multiformats/cid";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createTrackerApp } from "../../gateway/tracker/app.ts";
import { serve } from "../../gateway/serve.ts";
import { parseKey } from "../../src/content/address.ts";
import { parseTrackerKey } from "../../src/routing/key.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createTracker } from "../../src/tracker.ts";
import { concat, utf8 } from "../helpers/bytes.ts";
import { createFolder, type Files } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { freePort } from "../helpers/port.ts";
import { createRandom } from "../helpers/random.ts";
import { createRoutedHelia, type StockHelia } from "../helpers/stock-helia.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

/** Small files, nested folders, and one file of several blocks. */
const FILES: Files = {
  "index.html": "<h1>a site</h1>",
  "empty.txt": "",
  "img/logo.svg": "<svg/>",
  "img/deep/er/note.txt": "deep",
  "big.bin": createRandom(1).bytes(3 * 1024 * 1024 + 7),
};

suite("tracker: helia", (test) => {
  test("it resolves the key and reads every file, knowing nothing but the tracker's URL", async () => {
    await using folder = await createFolder(FILES);
    await using dir = await createFolder();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await using tracker = await createTracker({ dir: join(dir.path, "tracker"), urls: [url] });
    await using _server = await serve(createTrackerApp(tracker), { hostname: "127.0.0.1", port });
    await using seeder = await createLoopbackNode({ trackers: [url] });
    const site = await createSeeder(seeder).publish(folder.path, { name: "docs.example.org" });
    const [root, key] = [parseTrackerKey(`${site.cid}`), parseKey(site.key)!];
    const known = () => tracker.names.record(key).then(() => true, () => false);
    await until("the record", known);
    await until("the announce", async () => (await tracker.scrape([root]))[0]!.seeders > 0);

    await using helia = await createRoutedHelia(url);
    assert.is(await resolve(helia, key), `/ipfs/${site.cid}`);
    const read = await readAll(helia, site.cid);
    assert.equal(Object.keys(read).sort(), Object.keys(FILES).sort());
    for (const [path, bytes] of Object.entries(FILES)) {
      const wanted = typeof bytes === "string" ? utf8(bytes) : bytes;
      assert.is(Buffer.compare(read[path]!, wanted), 0, path);
    }
  });
});

/** What a key stands for. */
async function resolve(helia: StockHelia, key: CID): Promise<string> {
  for await (const { value } of ipns(helia).resolve(key)) return value;
  throw new Error("no record");
}

/** Every file below a root, by its path. */
async function readAll(helia: StockHelia, root: CID): Promise<Record<string, Uint8Array>> {
  const fs = unixfs(helia);
  const files: Record<string, Uint8Array> = {};
  const walk = async (cid: CID, path: string) => {
    for await (const { name, cid: below } of fs.ls(cid)) {
      const { type } = await fs.stat(below);
      if (type === "directory") await walk(below, `${path}${name}/`);
      else files[path + name] = await concat(fs.cat(below));
    }
  };
  await walk(root, "");
  return files;
}
