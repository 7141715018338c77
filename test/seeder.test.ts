/** Publishing: a folder goes out under a name, and the name leads readers to its newest version. */
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseKey } from "../src/content/address.ts";
import { addBytes } from "../src/content/write.ts";
import { createTxtResolver } from "../src/name/dns.ts";
import type { Node } from "../src/node.ts";
import { createSeeder } from "../src/seeder.ts";
import { readText, utf8 } from "./helpers/bytes.ts";
import { failure, thrown } from "./helpers/failure.ts";
import { addFiles, createFolder, type Folder } from "./helpers/folder.ts";
import { createKnot, knotAvailable } from "./helpers/knot.ts";
import { createLoopbackNode, untilPeers } from "./helpers/loopback-node.ts";
import { suite } from "./helpers/suite.ts";

const NAME = "docs.example.org";

/** A folder with one page that says this. */
async function site(files: Folder, words: string): Promise<string> {
  const dir = join(files.path, "site");
  await addFiles(dir, { "index.html": `<p>${words}</p>` });
  return dir;
}

suite("seeder", (test, left) => {
  test("one site keeps its key over versions and restarts; another site has another", async () => {
    await using files = await createFolder();
    const dir = join(files.path, "node");
    const keys: string[] = [];
    for (const words of ["one", "two", "two"]) {
      await using node = await createLoopbackNode({ dir });
      const publish = createSeeder(node).publish;
      const { key, cid, site: name } = await publish(await site(files, words), { name: NAME });
      assert.is(name, NAME);
      assert.is(String((await node.resolve(`/ipns/${key}`)).cid), String(cid));
      keys.push(key);
      if (keys.length < 3) continue;
      const spelled = await publish(await site(files, words), { name: "DOCS.Example.org." });
      assert.is(spelled.key, key, "however it is spelled");
      // a name that Windows would not have for a file is a site like any other
      for (const name of ["con.example.org", "bücher.example.org", "example.org"]) {
        keys.push((await publish(await site(files, words), { name })).key);
      }
    }
    assert.is(new Set(keys).size, 4);
    assert.is(new Set(keys.slice(0, 3)).size, 1);
  });

  test("a name that cannot be one is refused before anything is read", async () => {
    await using node = await createLoopbackNode();
    const wrong = [
      "",
      "localhost",
      "127.0.0.1",
      "docs.example.org/en",
      "docs.example.org:80",
      "http://docs.example.org",
      "somebody@docs.example.org",
      "docs..example.org",
      `${"a".repeat(61)}.`.repeat(4) + "org", // fits by itself, but there is no room for _dnslink
    ];
    for (const name of wrong) {
      const error = await failure(createSeeder(node).publish("/there/is/no/such", { name }));
      assert.is(error.code, "BAD_ADDRESS", name);
      assert.ok(error.hint);
    }
  });

  test("a folder that is not there is said to be missing", async () => {
    await using node = await createLoopbackNode();
    const { code, message } = await failure(
      createSeeder(node).publish("/there/is/no/such", { name: NAME }),
    );
    assert.is(code, "BAD_SITE");
    assert.is(message, "There is no folder /there/is/no/such.");
  });

  test("beside the version before, only the pins of what differs are looked for", async () => {
    await using files = await createFolder({
      "site/index.html": "one",
      "site/about.html": "the same",
    });
    await using node = await createLoopbackNode();
    const dir = join(files.path, "site");
    await createSeeder(node).publish(dir, { name: NAME });
    const { pins } = node.helia;
    const looked: string[] = [];
    const get = pins.get.bind(pins);
    pins.get = (cid, options) => (looked.push(String(cid)), get(cid, options));
    await addFiles(dir, { "index.html": "two" });
    await createSeeder(node).publish(dir, { name: NAME });
    const of = async (page: string) => String(await addBytes(node.helia.blockstore, utf8(page)));
    assert.ok(looked.includes(await of("two")));
    assert.not.ok(looked.includes(await of("the same")));
  });

  test("an abort at any moment before the signature leaves the version before in force", async () => {
    await using files = await createFolder();
    await using node = await createLoopbackNode();
    const { publish } = createSeeder(node);
    const { key, cid } = await publish(await site(files, "one"), { name: NAME });
    const dir = await site(files, "two");
    const reason = new Error("changed my mind");
    const resolved = async () => String((await node.names.resolve(parseKey(key)!)).value);

    const stop = new AbortController();
    const hashing = publish(dir, {
      name: NAME,
      signal: stop.signal,
      onProgress: () => stop.abort(reason),
    });
    assert.is(await thrown(hashing), reason);
    assert.is(await resolved(), `/ipfs/${cid}`);

    const late = new AbortController();
    const update: Node["names"]["update"] = (label, make, options) => {
      late.abort(reason); // all is hashed and pinned
      return node.names.update(label, make, options);
    };
    const names = Object.create(node.names, { update: { value: update } });
    const seeder = createSeeder(Object.create(node, { names: { value: names } }));
    assert.is(await thrown(seeder.publish(dir, { name: NAME, signal: late.signal })), reason);
    assert.is(await resolved(), `/ipfs/${cid}`);

    const { cid: next } = await publish(dir, { name: NAME });
    assert.is(await resolved(), `/ipfs/${next}`);
  });

  const missing = knotAvailable();
  const title =
    "the printed line, pasted into a zone, leads readers to the site, and needs no change";
  if (missing) left(title, missing);
  else {
    test(title, async () => {
      await using files = await createFolder();
      await using publisher = await createLoopbackNode();
      const { publish } = createSeeder(publisher);
      const { dnslink, key } = await publish(await site(files, "one"), { name: NAME });
      assert.is(dnslink, `_dnslink.${NAME}. 60 IN TXT "dnslink=/ipns/${key}"`);

      await using knot = await createKnot({ records: [dnslink] });
      assert.equal(await createTxtResolver([knot.server])(`_dnslink.${NAME}`), [
        { data: `dnslink=/ipns/${key}`, ttl: 60 },
      ]);
      const reads = async () => {
        await using reader = await createLoopbackNode({
          dns: [knot.server],
          peers: [publisher.address],
        });
        await untilPeers(reader, 1);
        const { chain, ttl, stale } = await reader.resolve(`http://${NAME}/index.html`);
        assert.equal(chain.slice(0, 2), [`/ipns/${NAME}/index.html`, `/ipns/${key}/index.html`]);
        assert.ok(ttl! > 50 && ttl! <= 60, `${ttl}`);
        assert.is(stale, false);
        return await readText(reader, `http://${NAME}/index.html`);
      };
      assert.is(await reads(), "<p>one</p>");
      await publish(await site(files, "two"), { name: NAME });
      assert.is(await reads(), "<p>two</p>");
    });
  }
});
