/** Kubo as a member of a DHT of our own: each side finds and opens what the other publishes, by root and by key. */
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { createSeeder } from "../../src/seeder.ts";
import { readText } from "../helpers/bytes.ts";
import { createDhtNet } from "../helpers/dht-net.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("kubo: dht", (test, left) => {
  const missing = kuboAvailable();
  const title = "Kubo and readers here find each other's sites in one DHT";
  if (missing) return left(title, missing);

  test(title, async () => {
    await using net = await createDhtNet(7);
    await using folder = await createFolder({ "site/index.html": "ours", "theirs.html": "theirs" });
    await using kubo = await createKubo({
      dir: join(folder.path, "kubo"),
      // Its two DHTs; nobody of the public one can be reached. Loopback is a network, too, by its test profile.
      routing: { Type: "dht", LoopbackAddressesOnLanDHT: true },
    });
    const first = net.servers[0]!;
    await kubo.ipfs(["swarm", "connect", first.address]);
    const table = () => kubo.ipfs(["stats", "dht", "lan"]);
    await until("a server in Kubo's table", async () => (await table()).includes(first.id), 30_000);

    const publisher = await net.client();
    const { cid, key } = await createSeeder(publisher).publish(join(folder.path, "site"), {
      name: "docs.example.org",
    });
    await net.untilProvided(cid);
    const resolve = ["name", "resolve", "--nocache", `/ipns/${key}`];
    await until("the record in Kubo's sight", async () => {
      return await kubo.ipfs(resolve).then((value) => value.trim() === `/ipfs/${cid}`, () => false);
    }, 30_000);
    assert.is((await kubo.ipfs(["cat", `/ipns/${key}/index.html`])).trim(), "ours");

    const theirs = (await kubo.ipfs(["add", "-Q", join(folder.path, "theirs.html")])).trim();
    await kubo.ipfs(["routing", "provide", theirs]);
    const name = (await kubo.ipfs(["name", "publish", "-Q", `/ipfs/${theirs}`])).trim();
    const reader = await net.client();
    assert.is(await readText(reader, `/ipfs/${theirs}`), "theirs");
    const { value } = await (await net.client()).names.record(parseKey(name)!);
    assert.is(value, `/ipfs/${theirs}`);
  });
});
