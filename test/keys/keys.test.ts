/** A publisher's keys: out of one node, into another, and one in place of another. */
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { exportPem, exportWords, importKey, listKeys, rotateKey } from "../../src/keys.ts";
import type { Node } from "../../src/node.ts";
import { createSeeder } from "../../src/seeder.ts";
import { readRecord } from "../../src/name/record.ts";
import { createIpnsRecords } from "../../src/store/ipns.ts";
import { Records } from "../../src/store/records.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { addFiles, createFolder, type Files } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";

const SITE = "docs.example.org";

async function publish(node: Node, files: Files) {
  await using folder = await createFolder();
  await addFiles(folder.path, files);
  return await createSeeder(node).publish(folder.path, { name: SITE });
}

/** What a reader gets at an address. */
async function textAt(node: Node, address: string): Promise<string> {
  const { entry } = await node.open(address);
  if (entry.kind !== "file") throw new Error(`${address} is a ${entry.kind}`);
  const all: Uint8Array[] = [];
  for await (const bytes of entry.bytes()) all.push(bytes);
  return Buffer.concat(all).toString();
}

const valueOf = async (node: Node, key: string) => (await node.names.record(parseKey(key)!)).value;

suite("keys", (test) => {
  test("a key that is exported publishes from another folder, by whichever way it comes", async () => {
    await using node = await createLoopbackNode();
    await publish(node, { "a.txt": "first" });
    const { key } = await publish(node, { "a.txt": "second" });
    const forms = [
      (await exportPem(node, { name: SITE })).pem,
      (await exportPem(node, { name: SITE, passphrase: "secret" })).pem,
      (await exportWords(node, { name: "Docs.Example.ORG" })).words,
    ];
    for (const [version, file] of forms.entries()) {
      await using other = await createLoopbackNode();
      await other.meet(node);
      const args = { name: SITE, file: Buffer.from(file), passphrase: "secret" };
      const imported = await importKey(other, args);
      assert.equal(imported, {
        site: SITE,
        key,
        known: false,
        dnslink: `_dnslink.${SITE}. 60 IN TXT "dnslink=/ipns/${key}"`,
      });
      assert.equal(await listKeys(other), [{ site: SITE, state: "current", key }]);
      assert.equal((await importKey(other, args)).known, true, "once more is no harm");
      const published = await publish(other, { "a.txt": `${version}` });
      assert.is(published.key, key);
      assert.is(await valueOf(node, key), `/ipfs/${published.cid}`, "it is the newer version");
    }
  });

  test("what is not there, or in the way, is said, and nothing is changed", async () => {
    await using node = await createLoopbackNode();
    for (const errand of [exportPem, exportWords, rotateKey]) {
      const error = await refusal("NO_KEY", () => errand(node, { name: SITE }));
      assert.match(error.message, `There is no key of ${SITE} in this folder.`);
    }
    await refusal("BAD_ADDRESS", () => exportPem(node, { name: "no name" }));
    const { key } = await publish(node, { "a.txt": "1" });
    const words = Buffer.from(`${"abandon ".repeat(23)}art`);
    const other = await refusal("KEY_EXISTS", () => importKey(node, { name: SITE, file: words }));
    assert.match(other.message, `There is another key of ${SITE} here already: /ipns/${key}.`);
    await refusal("BAD_KEY", () => importKey(node, { name: "b.org", file: words.subarray(1) }));
    assert.equal(await listKeys(node), [{ site: SITE, state: "current", key }]);

    await importKey(node, { name: "b.org", file: words });
    const unused = await refusal("IPNS_NOT_FOUND", () => rotateKey(node, { name: "b.org" }));
    assert.match(unused.message, "IPNS record");
    assert.equal((await listKeys(node)).map(({ site, state }) => `${site} ${state}`), [
      "b.org current",
      `${SITE} current`,
    ]);
  });

  test("after a rotation readers of the old name get what is new, and what comes after", async () => {
    await using node = await createLoopbackNode();
    const { key: old, cid } = await publish(node, { "a.txt": "1" });
    await using reader = await createLoopbackNode();
    await reader.meet(node);
    assert.is(await textAt(reader, `/ipns/${old}/a.txt`), "1");

    const { key, before, dnslink } = await rotateKey(node, { name: SITE });
    assert.is(before, old);
    assert.not.equal(key, old);
    assert.is(dnslink, `_dnslink.${SITE}. 60 IN TXT "dnslink=/ipns/${key}"`);
    assert.is(await valueOf(node, old), `/ipns/${key}`);
    assert.is(await valueOf(node, key), `/ipfs/${cid}`);
    const days = (await node.names.record(parseKey(old)!)).expires - Date.now();
    assert.ok(days > 29.9 * 86_400_000, "the whole lifetime");
    assert.equal(await listKeys(node), [
      { site: SITE, state: "current", key },
      { site: SITE, state: "retired", key: old },
    ]);
    assert.is((await exportPem(node, { name: SITE })).key, key);

    assert.is((await publish(node, { "a.txt": "2" })).key, key);
    await using late = await createLoopbackNode();
    await late.meet(node);
    const { chain } = await late.resolve(`/ipns/${old}/a.txt`);
    assert.equal(chain.slice(0, 2), [`/ipns/${old}/a.txt`, `/ipns/${key}/a.txt`]);
    assert.is(await textAt(late, `/ipns/${old}/a.txt`), "2");

    const third = await rotateKey(node, { name: SITE });
    assert.is(third.before, key);
    assert.is(await textAt(late, `/ipns/${old}/a.txt`), "2");
    assert.equal((await listKeys(node)).map(({ state }) => state).sort(), [
      "current",
      "retired",
      "retired",
    ]);
  });

  test("a rotation that is interrupted leaves the site whole, and goes on where it was", async () => {
    await using node = await createLoopbackNode();
    const { key: old, cid } = await publish(node, { "a.txt": "1" });
    const { batch } = node.helia.datastore;
    node.helia.datastore.batch = () => {
      const made = batch.call(node.helia.datastore);
      return { ...made, commit: () => Promise.reject(new Error("killed")) };
    };
    // The next key itself is written in one go as well.
    const { importKey: taken } = node.helia.keychain;
    node.helia.keychain.importKey = async (...args) => {
      const failing = node.helia.datastore.batch;
      node.helia.datastore.batch = batch;
      try {
        return await taken.apply(node.helia.keychain, args);
      } finally {
        node.helia.datastore.batch = failing;
      }
    };
    assert.match(String(await thrown(rotateKey(node, { name: SITE }))), "killed");
    node.helia.datastore.batch = batch;
    node.helia.keychain.importKey = taken;

    const half = await listKeys(node);
    assert.equal(half.map(({ state }) => state), ["current", "next"]);
    assert.is(half[0]!.key, old);
    const next = half[1]!.key;
    assert.is(await textAt(node, `/ipns/${old}/a.txt`), "1");
    const done = await rotateKey(node, { name: SITE });
    assert.equal([done.before, done.key], [old, next]);
    assert.is(await valueOf(node, next), `/ipfs/${cid}`, "and not its own name");
    assert.is(await textAt(node, `/ipns/${old}/a.txt`), "1");
    assert.equal((await listKeys(node)).map(({ state }) => state), ["current", "retired"]);
  });

  test("the old key's last record is kept alive with its value, over restarts", async () => {
    await using folder = await createFolder();
    let old: string, key: string;
    {
      await using node = await createLoopbackNode({ dir: folder.path });
      old = (await publish(node, { "a.txt": "1" })).key;
      key = (await rotateKey(node, { name: SITE })).key;
      // as if two days had passed
      const own = await node.helia.keychain.exportKey(`_retired.${old}.${SITE}`);
      const { createIPNSRecord, IPNSEntry } = await import("@helia/ipns");
      const aged = await createIPNSRecord(own, `/ipns/${key}`, 9n, 28 * 86_400_000, {});
      await node.names.put(parseKey(old)!, IPNSEntry.encode(aged));
    }
    await using node = await createLoopbackNode({ dir: folder.path });
    await node.names.renew();
    const record = await node.names.record(parseKey(old)!);
    assert.is(record.value, `/ipns/${key}`);
    assert.is(record.sequence, 10n);
    assert.ok(record.expires - Date.now() > 29.9 * 86_400_000);
    assert.is(await textAt(node, `/ipns/${old}/a.txt`), "1");
  });

  test("in the database a key lies under its labels alone", async () => {
    await using folder = await createFolder();
    {
      await using node = await createLoopbackNode({ dir: folder.path });
      await publish(node, { "a.txt": "1" });
      await rotateKey(node, { name: SITE });
    }
    const records = new Records(folder.path);
    const keys = records.all<{ key: string }>("SELECT key FROM kv WHERE key LIKE '/pkcs8/%'");
    const labels = keys.map(({ key }) => key.replace(/k51\w+/, "KEY")).filter((k) => /_/.test(k));
    assert.equal(labels.sort(), [`/pkcs8/_dnslink.${SITE}`, `/pkcs8/_retired.KEY.${SITE}`]);
    const rows = records.all<{ key: string }>("SELECT key FROM ipns").map(({ key }) =>
      readRecord(createIpnsRecords(records).get(key)!).value.slice(0, 6)
    );
    assert.equal(rows.sort(), ["/ipfs/", "/ipns/"]);
    records.close();
  });
});
