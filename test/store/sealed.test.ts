/** Private keys behind a passphrase. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Key } from "interface-datastore";
import * as assert from "uvu/assert";
import { RecordDatastore } from "../../src/store/datastore.ts";
import { Records } from "../../src/store/records.ts";
import { openDatastore } from "../../src/store/sealed.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

const OURS = new Key("/pkcs8/ours"), OTHER = new Key("/pkcs8/other"), INFO = new Key("/info/ours");

/** Whether any piece of a text stands in the files of a folder. */
function inFiles(dir: string, text: string): boolean {
  const files = readdirSync(dir).map((name) => readFileSync(join(dir, name)));
  return text.match(/.{10,40}/g)!.some((piece) => files.some((file) => file.includes(piece)));
}

suite("store/sealed", (test) => {
  test("keys from before are sealed at once, and nothing of them is left; later ones, too", async () => {
    await using folder = await createFolder();
    const [before, later] = [1, 2].map(() => randomBytes(300).toString("hex"));
    const write = (store: RecordDatastore, key: Key, text: string) =>
      store.put(key, Buffer.from(text));
    const read = (store: RecordDatastore, key: Key) => Buffer.from(store.get(key)).toString();
    const within = async (passphrase: string, work: (store: RecordDatastore) => unknown) => {
      const records = new Records(folder.path);
      try {
        await work(await openDatastore(records, passphrase));
      } finally {
        records.close();
      }
    };
    {
      const records = new Records(folder.path);
      const store = await openDatastore(records, undefined);
      write(store, OURS, before!);
      write(store, INFO, "whose it is");
      records.close();
    }
    assert.ok(inFiles(folder.path, before!));
    await within("grüße 1", async (store) => {
      assert.is(read(store, OURS), before);
      assert.not(inFiles(folder.path, before!), "while it runs");
      const batch = store.batch();
      batch.put(OTHER, Buffer.from(later!));
      await batch.commit();
    });
    assert.not(inFiles(folder.path, before!));
    assert.not(inFiles(folder.path, later!));
    assert.ok(inFiles(folder.path, "whose it is"));
    // The same words as another system writes them.
    await within("grüße 1".normalize("NFD"), (store) => {
      assert.equal([read(store, OURS), read(store, OTHER)], [before, later]);
      assert.is(read(store, INFO), "whose it is");
    });
    await refusal("BAD_KEY", () => within("gruesse 1", () => undefined));
    const records = new Records(folder.path);
    const none = await refusal("BAD_KEY", () => openDatastore(records, undefined));
    assert.match(none.hint!, "--keys-passphrase-file");
    // Who can write the file can put no key in the place of another.
    const sealed = new RecordDatastore(records);
    sealed.put(OURS, sealed.get(OTHER));
    records.close();
    await within("grüße 1", async (store) => {
      assert.instance(await thrown((async () => await store.get(OURS))()), Error);
      assert.is(read(store, OTHER), later);
    });
  });
});
