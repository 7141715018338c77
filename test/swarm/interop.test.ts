/** The same blocks, spoken with others: our own kind, a stock Helia, and Kubo. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unixfs } from "@helia/unixfs";
import * as assert from "uvu/assert";
import { addFolder } from "../../src/content/write.ts";
import { readText, textOf } from "../helpers/bytes.ts";
import { createFolder } from "../helpers/folder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { createStockHelia } from "../helpers/stock-helia.ts";
import { suite } from "../helpers/suite.ts";

/** Some MiB, several blocks of them, no two lines alike; text, since a program prints it. */
const BOOK = Array.from({ length: 70_000 }, (_, i) => `line ${i} of a book without end, ${i * i}\n`)
  .join("");

/** A small folder with a large file in it. */
const FILES = { "index.html": "<h1>Books</h1>\n", "shelf/book.txt": BOOK };

suite("interop", (test, left) => {
  test("two of our nodes pass on a file of many blocks", async () => {
    await using site = await createFolder(FILES);
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    const { cid } = await addFolder(seeder.helia.blockstore, site.path);
    await reader.meet(seeder);
    assert.is(await readText(reader, `/ipfs/${cid}/shelf/book.txt`), BOOK);
  });

  test("a stock Helia reads from us, and we from it", async () => {
    await using site = await createFolder(FILES);
    await using node = await createLoopbackNode();
    await using helia = await createStockHelia();
    const { cid } = await addFolder(node.helia.blockstore, site.path);
    await node.meet({ addresses: helia.libp2p.getMultiaddrs().map(String) });
    assert.is(await textOf(unixfs(helia).cat(cid, { path: "shelf/book.txt" })), BOOK);

    const other = await unixfs(helia).addBytes(new TextEncoder().encode(BOOK.toUpperCase()));
    assert.is(await readText(node, `/ipfs/${other}`), BOOK.toUpperCase());
  });

  const title = "Kubo reads from us, and we from it";
  const missing = kuboAvailable();
  if (missing !== undefined) left(title, missing);
  else {
    test(title, async () => {
      await using site = await createFolder(FILES);
      await using node = await createLoopbackNode();
      await using repo = await createFolder();
      await using kubo = await createKubo({ dir: repo.path });
      const { cid } = await addFolder(node.helia.blockstore, site.path);
      await kubo.ipfs(["swarm", "connect", node.addresses[0]!]);
      assert.is(await kubo.ipfs(["cat", `/ipfs/${cid}/shelf/book.txt`]), BOOK);
      assert.match(await kubo.ipfs(["ls", `/ipfs/${cid}`]), "index.html");

      await writeFile(join(site.path, "shelf/book.txt"), BOOK.toUpperCase());
      const root = (await kubo.ipfs(["add", "-r", "-Q", "--cid-version=1", site.path])).trim();
      assert.is(await readText(node, `/ipfs/${root}/shelf/book.txt`), BOOK.toUpperCase());
      assert.is(await readText(node, `/ipfs/${root}/index.html`), "<h1>Books</h1>\n");
      assert.equal(node.told, []);
    });
  }
});
