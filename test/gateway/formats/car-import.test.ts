/** CAR files on their way to other programs: whole they are taken in, and where one is cut short everybody sees it. */
import { Buffer } from "node:buffer";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { site } from "../../helpers/car-site.ts";
import { createKubo, kuboAvailable } from "../../helpers/kubo.ts";
import { createLoopbackNode } from "../../helpers/loopback-node.ts";
import { run, startNode } from "../../helpers/program.ts";
import { createShelf } from "../../helpers/shelf.ts";
import { send } from "../../helpers/socket.ts";
import { suite } from "../../helpers/suite.ts";

suite("gateway: CAR, imported", (test, left) => {
  test("a node takes in an incomplete file, and says in one sentence that it cut its answer off", async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    const dir = await mkdtemp(join(tmpdir(), "nethood-car-"));
    try {
      await shelf.stock();
      const whole = await shelf.ask(`/ipfs/${names.root}?format=car`);
      const file = join(dir, "part.car");
      // Up to the block before the last part of the film.
      const bytes = new Uint8Array(await whole.arrayBuffer());
      const end = Buffer.from(bytes).indexOf("c".repeat(10)) - names.c.bytes.length - 1;
      await writeFile(file, bytes.subarray(0, end));
      const imported = await run(["import", file], { dir: join(dir, "node") });
      assert.is(imported.code, 0, imported.said);
      await using child = await startNode([], { dir: join(dir, "node") });
      const path = `/ipfs/${names.root}/film?format=car`;
      const raw = await send(child.gateway, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      assert.ok(raw.includes("b".repeat(10)), "what there is has come");
      assert.not.ok(raw.endsWith("\r\n0\r\n\r\n"), "the end of a whole body");
      await child.stop();
      let printed = child.log;
      for await (const line of child.stdout) printed += `${line}\n`;
      assert.not.match(printed, /^\s+at |Error/m);
      assert.is(printed.match(/cut off in the middle/g)?.length, 1, printed);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test("what the gateway gave, another node takes in", async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    await shelf.stock();
    const response = await shelf.ask(`/ipfs/${names.root}?format=car`);
    const dir = await mkdtemp(join(tmpdir(), "nethood-car-"));
    try {
      const file = join(dir, "site.car");
      await writeFile(file, new Uint8Array(await response.arrayBuffer()));
      const { code, said } = await run(["import", file], { dir: join(dir, "node") });
      assert.is(code, 0, said);
      await using other = await createLoopbackNode({ dir: join(dir, "node"), timeout: 200 });
      const { entry } = await other.open(`/ipfs/${names.root}/doc/files/film`);
      let text = "";
      if (entry.kind === "file") {
        for await (const bytes of entry.bytes()) text += new TextDecoder().decode(bytes);
      }
      assert.is(text, ["a", "b", "a", "c"].map((char) => char.repeat(10)).join(""));
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  const withKubo = "what the gateway gave, Kubo takes in";
  const missing = kuboAvailable();
  if (missing) return left(withKubo, missing);
  test(withKubo, async () => {
    await using shelf = await createShelf();
    const names = await site(shelf.blocks);
    await shelf.stock();
    const response = await shelf.ask(`/ipfs/${names.root}?format=car&car-dups=y`);
    const dir = await mkdtemp(join(tmpdir(), "nethood-car-"));
    try {
      const file = join(dir, "site.car");
      await writeFile(file, new Uint8Array(await response.arrayBuffer()));
      await using kubo = await createKubo({ dir: join(dir, "kubo"), offline: true });
      const said = await kubo.ipfs(["dag", "import", file]);
      assert.match(said, new RegExp(`pinned root\\s+${names.root}\\s+success`, "i"));
      const text = await kubo.ipfs(["cat", `/ipfs/${names.root}/film`]);
      assert.is(text.trim(), ["a", "b", "a", "c"].map((char) => char.repeat(10)).join(""));
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
