/** Keys go to Kubo, the reference implementation, and come from it; who has one publishes the next version. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { exportPem, importKey } from "../../src/keys.ts";
import { createSeeder } from "../../src/seeder.ts";
import { refusal } from "../helpers/failure.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { createKubo, type Kubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode, untilPeers } from "../helpers/loopback-node.ts";
import { OTHER_VALUE, VALUE } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const SITE = "docs.example.org";
const PEM = "--format=pem-pkcs8-cleartext";

/** A Kubo that has IPNS over PubSub, and so answers and asks for records by the Fetch protocol. */
async function createNamingKubo(dir: string): Promise<Kubo> {
  {
    await using kubo = await createKubo({ dir, offline: true });
    await kubo.ipfs(["config", "--json", "Ipns.UsePubsub", "true"]);
    await kubo.ipfs(["config", "--json", "Pubsub.Enabled", "true"]);
  }
  return await createKubo({ dir });
}

suite("keys with Kubo", (test, left) => {
  const missing = kuboAvailable();
  const titles = [
    "Kubo takes our key and publishes the next version",
    "a key that Kubo made publishes the next version here",
  ] as const;
  if (missing) return titles.forEach((title) => left(title, missing));

  test(titles[0], async () => {
    await using files = await createFolder();
    await using kubo = await createNamingKubo(join(files.path, "kubo"));
    await using node = await createLoopbackNode({ peers: [kubo.addresses[0]!] });
    await untilPeers(node, 1);
    await addFiles(join(files.path, "site"), { "a.txt": "1" });
    const { key } = await createSeeder(node).publish(join(files.path, "site"), { name: SITE });

    const file = join(files.path, "key.pem");
    await writeFile(file, (await exportPem(node, { name: SITE })).pem);
    const imported = await kubo.ipfs(["key", "import", "--ipns-base=base36", PEM, "docs", file]);
    assert.is(imported.trim(), key);
    const how = ["--key=docs", "--resolve=false", "--allow-offline", "--sequence=2"];
    await kubo.ipfs(["name", "publish", ...how, VALUE]);
    const { value, sequence } = await node.names.record(parseKey(key)!);
    assert.equal([value, sequence], [VALUE, 2n]);

    await kubo.ipfs(["key", "export", PEM, "-o", join(files.path, "back.pem"), "docs"]);
    const back = await readFile(join(files.path, "back.pem"));
    assert.ok((await importKey(node, { name: SITE, file: back })).known, "the same key came back");
  });

  test(titles[1], async () => {
    await using files = await createFolder();
    await using kubo = await createNamingKubo(join(files.path, "kubo"));
    await using node = await createLoopbackNode({ peers: [kubo.addresses[0]!] });
    await untilPeers(node, 1);
    await addFiles(join(files.path, "site"), { "a.txt": "1" });
    const kinds = [["--type=ed25519"], ["--type=rsa", "--size=2048"]];
    const formats = [[], [PEM]];
    for (const [k, kind] of kinds.entries()) {
      for (const [f, format] of formats.entries()) {
        const [label, name] = [`theirs-${k}${f}`, `s${k}${f}.example.org`];
        const key = (await kubo.ipfs(["key", "gen", "--ipns-base=base36", ...kind, label])).trim();
        const how = [`--key=${label}`, "--resolve=false", "--allow-offline"];
        for (const value of [VALUE, OTHER_VALUE, VALUE]) {
          await kubo.ipfs(["name", "publish", ...how, value]);
        }
        const exported = join(files.path, `${label}.key`);
        await kubo.ipfs(["key", "export", ...format, "-o", exported, label]);
        const imported = await importKey(node, { name, file: await readFile(exported) });
        assert.is(imported.key, key);
        const theirs = await node.names.record(parseKey(key)!);
        assert.is(theirs.value, VALUE);

        const { cid } = await createSeeder(node).publish(join(files.path, "site"), { name });
        const ours = await node.names.record(parseKey(key)!);
        assert.ok(ours.sequence > theirs.sequence && theirs.sequence > 0n, "Kubo's is older");
        const record = join(files.path, "record");
        await writeFile(record, ours.bytes);
        await kubo.ipfs(["name", "put", "--allow-offline", key, record]);
        assert.is((await kubo.ipfs(["name", "resolve", `/ipns/${key}`])).trim(), `/ipfs/${cid}`);
      }
    }
    await kubo.ipfs(["key", "gen", "--type=secp256k1", "curve"]);
    const exported = join(files.path, "curve.key");
    await kubo.ipfs(["key", "export", "-o", exported, "curve"]);
    const curve = { name: SITE, file: await readFile(exported) };
    const error = await refusal("BAD_KEY", () => importKey(node, curve));
    assert.match(error.message, "A key of the kind Secp256k1 cannot be a site's.");
  });
});
