/** A private key among the files of a site: ours is never published, another's is told of. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { addFolder } from "../../src/content/write.ts";
import { exportPem, exportWords, importKey } from "../../src/keys.ts";
import { createSeeder } from "../../src/seeder.ts";
import { inspect } from "../helpers/block-files.ts";
import { refusal } from "../helpers/failure.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { OLD_MS } from "../helpers/known-folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";

const SITE = "docs.example.org";

suite("keys in a site", (test) => {
  test("a site that has its own key in it is refused before any of it is stored", async () => {
    await using files = await createFolder();
    await using node = await createLoopbackNode();
    const [site, seeder] = [join(files.path, "site"), createSeeder(node)];
    await addFiles(site, { "index.html": "home", "README": "read me", "notes.txt": "one two" });
    assert.equal((await seeder.publish(site, { name: SITE })).secrets, []);
    const own = await node.helia.keychain.exportKey(`_dnslink.${SITE}`);
    const { pem } = await exportPem(node, { name: SITE });
    const forms: [string, string | Uint8Array][] = [
      [`${SITE}.pem`, pem],
      ["a/backup.txt", `kept here for safety\n\n${pem.replace(/^.*\n/, "")}`],
      ["a/locked.pem", (await exportPem(node, { name: SITE, passphrase: "x" })).pem],
      ["words", (await exportWords(node, { name: SITE })).words],
      ["kubo.key", own.toProtobuf()],
    ];
    const stored = async () => (await inspect(join(node.dir, "blocks"))).whole;
    const before = await stored();
    assert.ok(before > 0);
    for (const [name, content] of forms) {
      await addFiles(site, { [name]: content, "index.html": `with ${name}` });
      const error = await refusal("BAD_SITE", () => seeder.publish(site, { name: SITE }));
      assert.is(error.message, `The file ${name} holds the private key of ${SITE}.`);
      assert.match(error.hint!, "Move it out of the folder");
      // Nor under another name, whose key it is not.
      await refusal("BAD_SITE", () => seeder.publish(site, { name: "b.example.org" }));
      await rm(join(site, name));
    }
    assert.is(await stored(), before);
  });

  test("a key of somebody or something else is published, and told of", async () => {
    await using files = await createFolder();
    await using node = await createLoopbackNode();
    const key = (options: object = {}) =>
      String(
        generateKeyPairSync("ed25519").privateKey.export({
          type: "pkcs8",
          format: "pem",
          ...options,
        }),
      );
    await addFiles(files.path, {
      "privkey.pem": key(),
      "b/locked.key": key({ cipher: "aes-256-cbc", passphrase: "x" }),
      "b/ssh": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      "public.pem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      "page.html": `<pre>${key()}</pre>`,
      "large.pem": Buffer.alloc(20_000, key()),
    });
    await sleep(OLD_MS);
    for (const time of ["at first", "again", "and again, though the files are known"]) {
      const { secrets } = await createSeeder(node).publish(files.path, { name: SITE });
      assert.equal(secrets, ["b/locked.key", "b/ssh", "privkey.pem"], time);
    }
  });

  test("what a program remembered that looked for other keys, or for none, is looked into again", async () => {
    await using files = await createFolder({ "id_rsa": "-----BEGIN RSA PRIVATE KEY-----\nAA\n" });
    await using node = await createLoopbackNode();
    await sleep(OLD_MS);
    await addFolder(node.helia.blockstore, files.path, { known: (how) => node.known(SITE, how) });
    const { secrets } = await createSeeder(node).publish(files.path, { name: SITE });
    assert.equal(secrets, ["id_rsa"]);
  });

  test("a stranger's key is looked at again each time, in case it has become this node's", async () => {
    await using files = await createFolder();
    await using stranger = await createLoopbackNode();
    await using node = await createLoopbackNode();
    const seeder = createSeeder(node), [theirs, other] = ["a.example.org", "b.example.org"];
    for (const name of [theirs, other]) {
      await addFiles(files.path, { "index.html": name });
      await createSeeder(stranger).publish(files.path, { name });
    }
    const { pem } = await exportPem(stranger, { name: theirs });
    const { words } = await exportWords(stranger, { name: other });
    await addFiles(files.path, { "theirs.pem": pem.replace(/^.*\n/, ""), "words": words });
    await sleep(OLD_MS);
    for (let time = 0; time < 2; time++) {
      const { secrets } = await seeder.publish(files.path, { name: SITE });
      assert.equal(secrets, ["theirs.pem"]);
    }
    await importKey(node, { name: other, file: new TextEncoder().encode(words) });
    const error = await refusal("BAD_SITE", () => seeder.publish(files.path, { name: SITE }));
    assert.is(error.message, `The file words holds the private key of ${other}.`);
    await rm(join(files.path, "words"));
    await importKey(node, { name: theirs, file: new TextEncoder().encode(pem) });
    await refusal("BAD_SITE", () => seeder.publish(files.path, { name: SITE }));
  });
});
