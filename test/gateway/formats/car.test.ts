/** CAR files: just the blocks that were asked for, in their order, and never a part that looks whole. */
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { serve } from "../../../gateway/serve.ts";
import { utf8 } from "../../helpers/bytes.ts";
import { contents, site } from "../../helpers/car-site.ts";
import { DAG_CBOR, RAW } from "../../helpers/memory-blocks.ts";
import { createShelf } from "../../helpers/shelf.ts";
import { send } from "../../helpers/socket.ts";
import { suite } from "../../helpers/suite.ts";

suite("gateway: CAR", (test) => {
  test("the blocks of the path, then what the scope says, depth first", async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    await shelf.stock();
    const cases: [string, string[]][] = [
      ["", ["root", "film", "a", "b", "c", "doc", "small"]],
      ["?car-dups=y", "root film a b a c doc film a b a c small".split(" ")],
      ["?dag-scope=entity", ["root"]],
      ["?dag-scope=block", ["root"]],
      ["/film?dag-scope=block", ["root", "film"]],
      ["/film?dag-scope=entity", ["root", "film", "a", "b", "c"]],
      ["/film?entity-bytes=10:19", ["root", "film", "b"]],
      ["/film?entity-bytes=9:10", ["root", "film", "a", "b"]],
      ["/film?entity-bytes=-10:*", ["root", "film", "c"]],
      ["/film?entity-bytes=-99:-31", ["root", "film", "a"]],
      ["/film?entity-bytes=20:999", ["root", "film", "a", "c"]],
      // Nothing of the file: as if the block alone had been asked for.
      ["/film?entity-bytes=40:50", ["root", "film"]],
      ["/film?entity-bytes=9:3", ["root", "film"]],
      // What is no file has no bytes.
      ["?entity-bytes=0:3", ["root"]],
      ["/doc?entity-bytes=0:3", ["root", "doc"]],
      ["/doc/files/small", ["root", "doc", "small"]],
      ["/doc?dag-scope=entity", ["root", "doc"]],
    ];
    for (const [tail, expected] of cases) {
      const url = `/ipfs/${names.root}${tail}${tail.includes("?") ? "&" : "?"}format=car`;
      const { roots, blocks } = await contents(await shelf.ask(url), names);
      assert.equal(blocks, expected, tail);
      assert.equal(roots, [
        expected.includes("small") && tail !== "" && !tail.includes("dups")
          ? "small"
          : /\/(\w+)/.exec(tail)?.[1] ?? "root",
      ], tail);
    }
    const probe = await shelf.ask("/ipfs/bafkqaaa?format=car&car-dups=y");
    const { roots, blocks } = await contents(probe, {});
    assert.equal([roots, blocks], [["bafkqaaa"], []]);
    const missing = [`/ipfs/${names.root}/none`, `/ipfs/${names.root}/doc/files/none`];
    for (const path of missing) assert.is((await shelf.ask(`${path}?format=car`)).status, 404);
    assert.is((await shelf.ask(`/ipfs/${names.root}/doc/none?format=car`)).status, 501);
  });

  test("a sharded folder: its shards are the entity, and one name needs only those on its way", async () => {
    await using shelf = await createShelf();
    const files = Array.from({ length: 400 }, (_, i) => ({
      path: `${i}.txt`,
      content: utf8(`file ${i}`),
    }));
    const root = await shelf.blocks.add(files, { shardSplitThresholdBytes: 1 });
    await shelf.stock();
    const all = await contents(await shelf.ask(`/ipfs/${root}?format=car`), {});
    const listing = await contents(
      await shelf.ask(`/ipfs/${root}?format=car&dag-scope=entity`),
      {},
    );
    assert.is(all.blocks.length - listing.blocks.length, 400);
    assert.ok(listing.blocks.length > 50);
    assert.ok(listing.blocks.every((cid) => cid.startsWith("bafybei")));
    const one = await contents(await shelf.ask(`/ipfs/${root}/7.txt?format=car`), {});
    assert.ok(one.blocks.length <= 4 && one.blocks.length >= 2, one.blocks.join());
    assert.is(one.blocks[0], String(root));
  });

  test("what differs has another ETag, what is the same has the same, and is not read again", async () => {
    await using shelf = await createShelf();
    const { root, film } = await site(shelf.blocks);
    await shelf.stock();
    const different = [
      `/ipfs/${root}/film?format=raw`,
      `/ipfs/${root}/film?format=tar`,
      `/ipfs/${root}/film?`,
      `/ipfs/${root}/film?format=car`,
      `/ipfs/${film}?format=car`,
      `/ipfs/${root}/doc/files/film?format=car`,
      `/ipfs/${root}/film?format=car&dag-scope=entity`,
      `/ipfs/${root}/film?format=car&dag-scope=block`,
      `/ipfs/${root}/film?format=car&entity-bytes=0:9`,
      `/ipfs/${root}/film?format=car&entity-bytes=0:19`,
      `/ipfs/${root}/film?format=car&car-dups=y`,
    ];
    const tag = async (url: string) =>
      (await shelf.ask(url, { method: "HEAD" })).headers.get("ETag")!;
    const tags = await Promise.all(different.map(tag));
    assert.is(new Set(tags).size, tags.length, tags.join("\n"));
    for (const weak of tags.slice(3)) assert.match(weak, /^W\/"/);
    const car = `/ipfs/${root}/film?format=car`;
    for (
      const same of [
        "&car-dups=n",
        "&car-order=unk",
        "&dag-scope=all",
        "&entity-bytes=0:9&dag-scope=all",
      ]
    ) {
      assert.is(await tag(car + same), tags[3], same);
    }
    const { headers } = await shelf.ask(car, { method: "HEAD" });
    assert.is(
      headers.get("Content-Type"),
      "application/vnd.ipld.car; version=1; order=dfs; dups=n",
    );
    assert.is(headers.get("Content-Disposition"), `attachment; filename="${root}_film.car"`);
    assert.is(headers.get("Accept-Ranges"), "none");
    assert.is(headers.get("X-Content-Type-Options"), "nosniff");
  });

  test("HEAD reads the path and no more", async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    const { root, film, a, b, c, small, doc } = names;
    await shelf.stock([a, b, c, small, doc].map(String));
    const response = await shelf.ask(`/ipfs/${root}/film?format=car`, { method: "HEAD" });
    assert.is(response.status, 200);
    assert.equal(
      await contents(await shelf.ask(`/ipfs/${film}?format=car&dag-scope=block`), names),
      {
        roots: ["film"],
        blocks: ["film"],
      },
    );
  });

  test("where a block is missing the connection is cut, and the log is told", async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    await shelf.stock([String(names.c)]);
    await using server = await serve(shelf.app, { port: 0 });
    const path = `/ipfs/${names.root}/film?format=car`;
    const raw = await send(server.url, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    assert.match(raw, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(raw.toLowerCase(), "transfer-encoding: chunked");
    assert.ok(raw.includes("bbbbbbbbbb"), "what there is has come");
    assert.not.ok(raw.endsWith("\r\n0\r\n\r\n"), "the end of a whole body");
    assert.not.match(raw, "    at ");
    await fetch(server.url + path).then((response) => response.arrayBuffer()).then(
      () => assert.unreachable("a client took it for whole"),
      (error) => assert.instance(error, TypeError),
    );
    assert.is(shelf.log.length, 2, shelf.log.join("\n"));
    assert.match(shelf.log[0]!, "was cut off in the middle");
    // What comes before the missing one can be had.
    const part = await shelf.ask(`${path}&entity-bytes=0:19`);
    assert.equal((await contents(part, names)).blocks, ["root", "film", "a", "b"]);
  });

  test("a client that leaves stops the reads, and a slow one has a few blocks read ahead, not all", async () => {
    await using shelf = await createShelf();
    const { blocks, node } = shelf;
    const links: { cid: CID; name: string }[] = [];
    for (let i = 0; i < 300; i++) {
      const cid = await blocks.put(RAW, new Uint8Array(100_000).fill(i & 255).fill(i >> 8, 0, 1));
      links.push({ cid, name: String(i).padStart(3, "0") });
    }
    const root = await blocks.node({ type: "DIRECTORY", links });
    let reads = 0;
    const counted = Object.assign(Object.create(node), {
      locate: async (...asked: Parameters<typeof node.locate>) => {
        const located = await node.locate(...asked);
        const get: typeof located.blocks.get = (
          cid,
          own,
        ) => (reads++, located.blocks.get(cid, own));
        return { ...located, blocks: { get } };
      },
    });
    await shelf.stock();
    const { createGateway } = await import("../../../gateway/app.ts");
    const app = createGateway(counted);
    const response = await app.fetch(new Request(`http://127.0.0.1/ipfs/${root}?format=car`));
    const reader = response.body!.getReader();
    for (let i = 0; i < 5; i++) await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(reads >= 5 && reads < 25, `${reads} blocks were read`);
    await reader.cancel();
    const then = reads;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.is(reads, then);
  });

  test("blocks that name each other a thousand million times are sent once each", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    let cid = await blocks.put(RAW, utf8("bottom"));
    for (let level = 0; level < 30; level++) {
      cid = await blocks.put(DAG_CBOR, dagCbor.encode([cid, cid]));
    }
    await shelf.stock();
    const car = await contents(await shelf.ask(`/ipfs/${cid}?format=car`), {});
    assert.is(car.blocks.length, 31);
  });
});
