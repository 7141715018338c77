/** The words with which people enter a DHT: one begins it, one publishes, one reads and goes away. */
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { run, start, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

suite("cli: dht", (test) => {
  test("who names a peer of it with --bootstrap reads by the site's key, whoever has it", async () => {
    await using dir = await createFolder({ "site/index.html": "found" });
    const own = (name: string) => ({ dir: join(dir.path, name) });
    await using first = await startNode(["--dht", "server"], own("first"));
    const there = ["--bootstrap", first.address, "--dht", "client"];
    const site = join(dir.path, "site");
    const words = ["seed", site, "--name", "docs.example.org", "--port", "0", "--json"];
    await using seeder = start([...words, ...there], own("seeder"));
    const { name } = await seeder.events.until("seed:done");
    let read = await run(["get", `/ipns/${name}/index.html`, ...there], own("reader"));
    // What was published a moment ago is told a moment later.
    for (let tries = 0; read.code !== 0 && tries < 3; tries++) {
      read = await run(["get", `/ipns/${name}/index.html`, ...there], own("reader"));
    }
    assert.equal([read.code, read.stdout.trim()], [0, "found"], read.said);
  });
});
