/** `follow`: what a person and a program are told, beside a running node and without one. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { complains, type Outcome, run, startNode } from "../helpers/program.ts";
import { SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const events = ({ stdout }: Outcome) =>
  stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);

suite("follow", (test) => {
  test("from a first version to the next, through restarts, to the end of it; the publisher sees who follows", async () => {
    await using files = await createFolder({ "site/index.html": "one" });
    const source = join(files.path, "site");
    const seed = ["seed", source, "--name", SITE, "--watch", "--quiet", "0.3"];
    await using seeder = await startNode(seed, { dir: join(files.path, "a") });
    const { name } = await seeder.events.until("seed:done");
    const own = { dir: join(files.path, "b") };
    const place = [
      ...["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0", "--peer", seeder.address],
      ...["--name-map", `${SITE}:/ipns/${name}`],
    ];
    {
      await using node = await startNode(["follow", SITE, "--keep", "5"], { ...own, place });
      const { site, keep, running } = await node.events.until("follow:start");
      assert.equal([site, keep, running], [SITE, 5, false]);
      await node.events.until("follow:version", { where: { number: 1 } });
      await sleep(500); // the publisher hears of it in its own time
      await addFiles(source, { "index.html": "two" });
      const { versions, fetched } = await node.events.until("follow:version", {
        where: { number: 2 },
      });
      assert.is(versions, 2);
      assert.ok(fetched as number > 0);
      const { followers } = await seeder.events.until("seed:version", { where: { number: 2 } });
      assert.is(followers, 1);
      const table = await run(["follow"], own);
      assert.match(table.stdout, /^Site +Version +Behind by +Size +Given to others +Here since\n/);
      assert.match(table.stdout, new RegExp(`^${SITE} +2 +- +\\d+ B +[\\d-].*UTC$`, "m"));
    }
    const rows = events(await run(["follow", "--json"], own))[0]!.sites as Record<
      string,
      unknown
    >[];
    assert.equal(rows.map(({ site, version, behind, keep }) => [site, version, behind, keep]), [
      [SITE, 2, 0, 5],
    ]);
    await addFiles(source, { "index.html": "three" });

    await using node = await startNode([], { ...own, place });
    await node.events.until("follow:version", { where: { number: 3 } });
    assert.is(await (await fetch(`${node.gateway}/ipns/${SITE}/index.html`)).text(), "three");
    const less = await run(["follow", SITE, "--keep", "2"], own);
    assert.match(less.stdout, /The node that runs on .* follows .* its last 2 versions stay/);
    const stop = await run(["follow", SITE, "--stop"], own);
    assert.match(stop.stdout, /is followed no longer\. What is here of it stays\./);
    assert.match((await run(["follow"], own)).stdout, /^No site is followed\./);
  });

  test("what was called wrongly is said, with what to do", async () => {
    await using files = await createFolder();
    const own = { dir: files.path };
    complains(await run(["follow", "--stop"], own), 2, /follow needs the name of a site/);
    complains(await run(["follow", SITE, "--keep", "0"], own), 2, /not a number of versions/);
    complains(await run(["follow", `${SITE}/a`, "--port", "0"], own), 1, /is no site's name/);
    const none = [...["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"], "--dns", "127.0.0.1:9"];
    assert.match((await run(["follow"], own)).stdout, /^No site is followed\./);
    const json = await run(["follow", "--json"], { ...own, place: none });
    assert.equal(events(json), [{ event: "follow:list", sites: [] }]);
  });
});
