/** A ready answer of a site's old version falls as soon as a newer one is in force, whatever time its name had left. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";

suite("gateway: ready answers and names", (test) => {
  test("what is published now is what is shown now; what has not changed stays ready", async () => {
    await using folder = await createFolder({ "page.txt": "one" });
    await using node = await createLoopbackNode();
    const gateway = createGateway(node);
    const publish = () => createSeeder(node).publish(folder.path, { name: "x.example.org" });
    const { cid, key } = await publish();
    const show = async (path: string) => {
      const answer = await gateway.fetch(new Request(`http://127.0.0.1:7080${path}/page.txt`));
      return [await answer.text(), answer.headers.get("Cache-Control")];
    };
    const [page] = await show(`/ipns/${key}`);
    assert.is(page, "one");
    await show(`/ipns/${key}`); // it is ready from here on
    const old = await show(`/ipfs/${cid}`);

    await writeFile(join(folder.path, "page.txt"), "and two");
    const began = performance.now();
    await publish();
    const [next, lasting] = await show(`/ipns/${key}`);
    assert.is(next, "and two");
    const left = Number(/max-age=(\d+)$/.exec(lasting!)?.[1]);
    const spent = Math.ceil((performance.now() - began) / 1000);
    assert.ok(left <= 60 && left >= 60 - spent, `${lasting} after ${spent} s at most`);
    assert.equal(await show(`/ipfs/${cid}`), old);
  });
});
