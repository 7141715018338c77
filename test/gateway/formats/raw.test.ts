/** Blocks as they are, for whoever checks them; and what holds for every form of an answer. */
import { Buffer } from "node:buffer";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import * as assert from "uvu/assert";
import { utf8 } from "../../helpers/bytes.ts";
import { DAG_CBOR, RAW } from "../../helpers/memory-blocks.ts";
import { createShelf } from "../../helpers/shelf.ts";
import { suite } from "../../helpers/suite.ts";

const RAW_TYPE = "application/vnd.ipld.raw";
const NOWHERE = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const GIT_RAW = 0x78;

suite("gateway: raw blocks", (test) => {
  test("the block at the end of a path, whatever it holds", async () => {
    await using shelf = await createShelf();
    const { blocks, ask } = shelf;
    const page = await blocks.put(RAW, utf8("<h1>page</h1>"));
    const git = await blocks.put(GIT_RAW, utf8("blob 4\0text"));
    const broken = await blocks.put(0x70, utf8("no dag-pb"));
    const root = await blocks.node({
      type: "DIRECTORY",
      links: [page, git, broken].map((cid, i) => ({ cid, name: ["page", "git", "broken"][i]! })),
    });
    await shelf.stock();
    for (const [name, cid] of Object.entries({ page, git, broken })) {
      const response = await ask(`/ipfs/${root}/${name}?format=raw`);
      assert.is(response.status, 200, name);
      const { headers } = response;
      assert.is(headers.get("Content-Type"), RAW_TYPE);
      assert.is(headers.get("ETag"), `"${cid}.raw"`);
      assert.is(headers.get("X-Content-Type-Options"), "nosniff");
      assert.is(headers.get("Content-Disposition"), `attachment; filename="${cid}.bin"`);
      assert.is(headers.get("Cache-Control"), "public, max-age=29030400, immutable");
      assert.is(headers.get("X-Ipfs-Path"), `/ipfs/${root}/${name}`);
      assert.is(headers.get("X-Ipfs-Roots"), `${root},${cid}`);
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(await blocks.get(cid)), name);
    }
    assert.is((await ask(`/ipfs/${git}`)).status, 501, "as a page it cannot be shown");
  });

  test("what Accept decided has a URL of its own, which loses nothing that was asked", async () => {
    await using shelf = await createShelf();
    const root = await shelf.blocks.add([{ path: "ż/a.txt", content: utf8("a") }]);
    await shelf.stock();
    const { headers } = await shelf.ask(`/ipfs/${root}/ż/a.txt?filename=b`, {
      headers: { Accept: RAW_TYPE },
    });
    const location = headers.get("Content-Location")!;
    assert.is(location, `/ipfs/${root}/%C5%BC/a.txt?filename=b&format=raw`);
    assert.is(headers.get("Vary"), "Accept");
    const again = await shelf.ask(location);
    assert.is(again.headers.get("ETag"), headers.get("ETag"));
    assert.is(again.headers.get("Content-Location"), null);
    const car = await shelf.ask(`/ipfs/${root}`, {
      headers: { Accept: "application/vnd.ipld.car; dups=y" },
    });
    const asked = await shelf.ask(car.headers.get("Content-Location")!);
    assert.is(asked.headers.get("ETag"), car.headers.get("ETag"));
    assert.is(asked.headers.get("Content-Type"), car.headers.get("Content-Type"));
    await Promise.all([car.body!.cancel(), asked.body!.cancel()]);
    // On a site of its own a path may begin like a host's name.
    const site = CID.parse(String(root)).toV1();
    const odd = await shelf.app.fetch(
      new Request(`http://${site}.ipfs.localhost//ż/a.txt`, { headers: { Accept: RAW_TYPE } }),
    );
    assert.is(odd.headers.get("Content-Location"), "/%C5%BC/a.txt?format=raw");
  });

  test("identity CIDs are their own blocks, up to 128 bytes", async () => {
    await using shelf = await createShelf();
    const probe = await shelf.ask("/ipfs/bafkqaaa?format=raw");
    assert.is(probe.status, 200);
    assert.is(probe.headers.get("Content-Length"), "0");
    const of = (size: number) => CID.createV1(RAW, identity.digest(new Uint8Array(size).fill(65)));
    assert.is(await (await shelf.ask(`/ipfs/${of(128)}?format=raw`)).text(), "A".repeat(128));
    assert.is((await shelf.ask(`/ipfs/${of(129)}?format=raw`)).status, 400);
  });

  test("a block that nobody has does not exist, for GET and for HEAD", async () => {
    await using shelf = await createShelf();
    for (const format of ["raw", "car", "tar"]) {
      for (const method of ["GET", "HEAD"]) {
        const { status } = await shelf.ask(`/ipfs/${NOWHERE}?format=${format}`, { method });
        assert.is(status, 404, `${method} ${format}`);
      }
    }
  });

  test("HEAD is GET without a body, and who has it already is told so: in every form", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    const doc = await blocks.put(DAG_CBOR, dagCbor.encode({ hello: "reader" }));
    const root = await blocks.add([{ path: "a.txt", content: utf8("a".repeat(500)) }]);
    await shelf.stock();
    const key = await shelf.node.names.publish("test", root);
    const asked: [string, Record<string, string>][] = [
      [`/ipfs/${root}/a.txt`, {}],
      [`/ipfs/${root}/a.txt?download=true`, {}],
      [`/ipfs/${root}/a.txt?format=raw`, {}],
      [`/ipfs/${root}/a.txt?format=raw`, { Range: "bytes=3-9" }],
      [`/ipfs/${root}/a.txt?format=raw`, { Range: "bytes=999-" }],
      [`/ipfs/${root}?format=car`, {}],
      [`/ipfs/${root}?format=tar`, {}],
      [`/ipfs/${doc}`, {}],
      [`/ipfs/${doc}`, { Range: "bytes=-3" }],
      [`/ipfs/${doc}`, { Accept: "text/html" }],
      [`/ipfs/${doc}?format=dag-cbor`, {}],
      [`/ipfs/${doc}?format=dag-json`, {}],
      [`/ipns/${key}?format=ipns-record`, {}],
    ];
    for (const [path, headers] of asked) {
      const what = `${path} ${JSON.stringify(headers)}`;
      const get = await shelf.ask(path, { headers });
      const head = await shelf.ask(path, { headers, method: "HEAD" });
      const told = ({ status, headers }: Response) => [status, ...headers];
      assert.equal(told(head), told(get), what);
      assert.is((await head.arrayBuffer()).byteLength, 0, what);
      const { byteLength } = await get.arrayBuffer();
      const length = get.headers.get("Content-Length");
      if (length !== null) assert.is(Number(length), byteLength, what);
      if (get.status !== 200) continue;
      const etag = get.headers.get("ETag")!;
      for (const method of ["GET", "HEAD"]) {
        const again = await shelf.ask(path, {
          method,
          headers: { ...headers, "If-None-Match": `"x", ${etag}` },
        });
        assert.is(again.status, 304, what);
        assert.is((await again.arrayBuffer()).byteLength, 0, what);
        assert.is(again.headers.get("ETag"), etag, what);
      }
    }
    const tags = await Promise.all(
      asked.map(async ([path, headers]) => (await shelf.ask(path, { headers, method: "HEAD" }))),
    );
    const ok = tags.filter(({ status }) => status === 200).map(({ headers }) =>
      headers.get("ETag")
    );
    // The file and the same file saved, the document and the document by its name, are the same bytes.
    assert.is(new Set(ok).size, ok.length - 2);
  });
});
