/** IPNS records go to Kubo, the reference implementation, and come from it: as files, and over libp2p. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { createIpnsRecords } from "../../src/store/ipns.ts";
import { Records } from "../../src/store/records.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKubo, type Kubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode, untilPeers } from "../helpers/loopback-node.ts";
import { OTHER_VALUE, VALUE } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

/** The CID of some version. */
const VERSION = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";

/** A Kubo that answers questions for records over the Fetch protocol, as it does where IPNS over PubSub is on. */
async function createNamingKubo(dir: string): Promise<Kubo> {
  {
    await using kubo = await createKubo({ dir, offline: true });
    await kubo.ipfs(["config", "--json", "Ipns.UsePubsub", "true"]);
    await kubo.ipfs(["config", "--json", "Pubsub.Enabled", "true"]);
  }
  return await createKubo({ dir });
}

suite("name/ipns with Kubo", (test, left) => {
  const missing = kuboAvailable();
  const title = "each reads what the other signs, and Kubo hands ours on";
  if (missing) return left(title, missing);

  test(title, async () => {
    await using files = await createFolder();
    await using kubo = await createNamingKubo(join(files.path, "kubo"));
    const peers = [kubo.addresses[0]!];
    await using node = await createLoopbackNode({ dir: join(files.path, "node"), peers });
    await untilPeers(node, 1);

    // theirs, with and without the first version's fields; the second one replaces the first
    const name = (await kubo.ipfs(["key", "list", "-l", "--ipns-base", "base36"])).split(" ")[0]!;
    const versions = [[VALUE, 90, "true"], [OTHER_VALUE, 70, "false"]] as const;
    for (const [value, ttl, v1] of versions) {
      const how = ["--resolve=false", "--allow-offline", `--v1compat=${v1}`, `--ttl=${ttl}s`];
      await kubo.ipfs(["name", "publish", ...how, value]);
      assert.equal(await node.names.resolve(parseKey(name)!), { value, ttl });
    }

    // ours: as Kubo judges it, as Kubo resolves it, and as the next reader gets it from Kubo
    const version = { cid: CID.parse(VERSION), number: 7 };
    const claim = () => Promise.resolve({ value: VALUE, version });
    const { key } = await node.names.update("docs.example.org", claim);
    const ours = key.toString(base36);
    await node.stop();
    const records = new Records(node.dir);
    const file = join(files.path, "record");
    await writeFile(file, createIpnsRecords(records).get(ours)!);
    records.close();
    const verify = ["name", "inspect", "--enc=json", `--verify=${ours}`, file];
    const { Validation, Entry } = JSON.parse(await kubo.ipfs(verify));
    assert.equal([Validation.Valid, Entry.Value, Entry.TTL], [true, VALUE, 60_000_000_000]);
    await kubo.ipfs(["routing", "put", "--allow-offline", `/ipns/${ours}`, file]);
    await kubo.ipfs(["name", "put", "--allow-offline", ours, file]);
    assert.is((await kubo.ipfs(["name", "resolve", `/ipns/${ours}`])).trim(), VALUE);

    await using reader = await createLoopbackNode({ peers });
    await untilPeers(reader, 1);
    const { cid, ttl } = await reader.resolve(`/ipns/${ours}/index.html`);
    assert.is(`/ipfs/${cid}`, VALUE);
    assert.ok(ttl! > 50 && ttl! <= 60, `${ttl}`);
    const record = await reader.names.record(key);
    assert.equal([String(record.version), record.number], [VERSION, 7], "Kubo lost it on the way");
  });
});
