/** Names the gateway is reached by: its own, this machine's in its network, and names of others. */
import { base32 } from "multiformats/bases/base32";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { NethoodError } from "../../src/errors.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

suite("gateway: hosts", (test) => {
  test("in its own network the machine has a name, which no name server is asked for", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await (await site.ask(`http://127.0.0.1:7080/ipns/${SITE}/a.txt`)).text();
    site.dns.queries.length = 0;
    for (
      const host of ["raspberrypi:7080", "node.local", "nas.lan:7080", "my-pi.home.arpa", "Pi.Home"]
    ) {
      for (const root of [`/ipfs/${site.cid}`, `/ipns/${SITE}`]) {
        const response = await site.ask(`http://${host}${root}/a.txt`);
        assert.is(response.status, 200, host);
        assert.is(await response.text(), "a");
      }
      const guest = await site.ask(`http://${host}/`);
      assert.is(guest.status, 200, host);
      const html = await guest.text();
      assert.match(html, `http://${host.toLowerCase()}/ipns/docs.example.org/`);
      assert.not.match(html, /a\.txt|<form|12D3Koo/);
      assert.is((await site.ask(`http://${host}/missing`)).status, 404);
    }
    assert.equal(site.dns.queries, []);
    // A name below such an ending is not one of them.
    await site.ask("http://local.example/");
    assert.equal(site.dns.queries.length > 0, true);
  });

  test("a name without a site is a path gateway, whose content is not of that name's origin", async () => {
    await using site = await createSite({ "a.txt": "a", "folder/x": "x", "ipfs/here.txt": "ours" });
    const ask = (path: string) => site.ask(`http://fake.example.net${path}`);
    const check = async () => {
      for (const root of [`/ipfs/${site.cid}`, `/ipns/${site.key}`]) {
        const file = await ask(`${root}/a.txt`);
        assert.is(file.status, 200);
        assert.match(file.headers.get("Content-Security-Policy")!, /^sandbox .*allow-scripts/);
        assert.not.match(file.headers.get("Content-Security-Policy")!, "allow-same-origin");
        assert.is(await file.text(), "a");
      }
      const listing = await ask(`/ipfs/${site.cid}/folder/`);
      assert.match(
        listing.headers.get("Content-Security-Policy")!,
        /default-src 'none'.*, sandbox/,
      );
    };
    await check();
    assert.is((await ask("/")).status, 404);
    assert.match(await (await ask("/a.txt")).text(), "has no DNSLink");
    assert.match(await (await ask("/ipfs/QmInvalid")).text(), 'invalid path "/ipfs/QmInvalid"');
    const handled = await ask(`/ipfs/?uri=ipfs://${site.cid}/a.txt`);
    assert.is(handled.headers.get("Location"), `/ipfs/${site.cid}/a.txt`);

    // A site's own folder of that name is the site's, whose origin is its own.
    const own = await site.ask(`http://${SITE}/ipfs/here.txt`);
    assert.is(await own.text(), "ours");
    assert.is(own.headers.get("Content-Security-Policy"), null);
    assert.is((await site.ask(`http://${SITE}/ipfs/${site.cid}/a.txt`)).status, 404);

    await site.dns.stop();
    site.dns.queries.length = 0;
    const offline = await site.ask(`http://other.example.net/ipfs/${site.cid}/a.txt`);
    assert.is(await offline.text(), "a", "without the DNS, too");
  });

  test("a key has one path: what is written in another form goes there", async () => {
    await using site = await createSite({ "a b.txt": "a" });
    const { multihash } = CID.parse(site.key, base36);
    const peer = base58btc.encode(multihash.bytes).slice(1);
    for (const host of ["127.0.0.1:7080", "[::1]:7080", "raspberrypi"]) {
      for (
        const form of [
          peer,
          CID.createV1(0x72, multihash).toString(base32),
          CID.createV1(0x70, multihash).toString(base36),
        ]
      ) {
        for (const rest of ["", "/", "/a%20b.txt?q=%2F&x", "/a//b/"]) {
          const response = await site.ask(`http://${host}/ipns/${form}${rest}`);
          assert.is(response.status, 302, form);
          assert.is(response.headers.get("Location"), `/ipns/${site.key}${rest}`);
        }
      }
      const response = await site.ask(`http://${host}/ipns/${site.key}/a%20b.txt`);
      assert.is(await response.text(), "a");
    }
  });

  test("a browser hands over ipfs:// and ipns:// addresses", async () => {
    await using site = await createSite({ "a b.txt": "a" });
    const v0 = "QmXoypizjW3WknFiJnKLwHCnL72vedxjQkDDP1mXWo6uco";
    const good: [string, string, string][] = [
      ["ipfs", `ipfs://${v0}/wiki/Diego_Maradona.html`, `/ipfs/${v0}/wiki/Diego_Maradona.html`],
      ["ipns", `ipfs://${v0}`, `/ipfs/${v0}`],
      ["ipns", `ipns://${SITE}/a%20b?q=ä#top`, `/ipns/${SITE}/a%20b?q=%C3%A4#top`],
      ["ipfs", `IPNS://${SITE}/`, `/ipns/${SITE}/`],
      ["ipfs", `web+ipfs://${v0}/x`, `/ipfs/${v0}/x`],
    ];
    const bad = [
      "",
      "https://evil.example/",
      "//evil.example",
      `/ipfs/${v0}`,
      "ipfs://",
      "ipfs:///evil.example/",
      "ipfs://QmInvalid/x",
      `ipfs://${v0}/../..`,
      "ipns://evil\r\nX: y/",
      "javascript:alert(1)",
    ];
    for (const host of ["127.0.0.1:7080", "localhost:7080"]) {
      for (const [at, uri, location] of good) {
        const response = await site.ask(`http://${host}/${at}/?uri=${encodeURIComponent(uri)}`);
        assert.is(response.status, 301, uri);
        assert.is(response.headers.get("Location"), location);
      }
      for (const uri of bad) {
        const response = await site.ask(`http://${host}/ipfs/?uri=${encodeURIComponent(uri)}`);
        assert.is(response.status, 400, uri);
        assert.is(response.headers.get("Location"), null);
      }
    }
    // A site's own query is the site's.
    const page = `http://127.0.0.1:7080/ipfs/${site.cid}/a%20b.txt?uri=ipfs://${v0}`;
    assert.is(await (await site.ask(page)).text(), "a");
  });

  test("a page of any origin may read content, moves and failures, but not what is the reader's own", async () => {
    await using site = await createSite({ "a.txt": "a", "b/index.html": "b" });
    const cid = `/ipfs/${site.cid}`;
    const cases: [string, number, RequestInit?][] = [
      [`http://127.0.0.1${cid}/a.txt`, 200],
      [`http://127.0.0.1${cid}/a.txt`, 206, { headers: { Range: "bytes=0-0" } }],
      [`http://127.0.0.1${cid}/a.txt`, 416, { headers: { Range: "bytes=9-" } }],
      [`http://127.0.0.1${cid}/a.txt`, 304, { headers: { "If-None-Match": "*" } }],
      [`http://127.0.0.1${cid}/a.txt`, 200, { method: "HEAD" }],
      [`http://127.0.0.1${cid}/a.txt`, 204, { method: "OPTIONS" }],
      [`http://127.0.0.1${cid}/b`, 301],
      [`http://127.0.0.1${cid}/missing`, 404],
      ["http://127.0.0.1/ipfs/nonsense", 400],
      [`http://localhost${cid}/a.txt`, 301],
      ["http://missing.example.net/", 404],
    ];
    const lists: [string, string[]][] = [
      ["Methods", ["GET", "HEAD", "OPTIONS"]],
      ["Headers", ["Content-Type", "Range", "User-Agent", "X-Requested-With"]],
      [
        "Expose-Headers",
        [
          ...["Content-Range", "Content-Length", "ETag", "X-Ipfs-Path", "X-Ipfs-Roots"],
          ...["X-Chunked-Output", "X-Stream-Output"],
        ],
      ],
    ];
    for (const [url, status, init] of cases) {
      const { status: got, headers } = await site.ask(url, init);
      assert.is(got, status, url);
      assert.is(headers.get("Access-Control-Allow-Origin"), "*", `${url} ${status}`);
      for (const [name, values] of lists) {
        const header = name === "Expose-Headers" ? name : `Allow-${name}`;
        const list = headers.get(`Access-Control-${header}`)?.split(", ") ?? [];
        assert.equal(list.toSorted(), values.toSorted(), `${url} ${status}`);
      }
    }
    for (const host of ["localhost", "127.0.0.1", "192.0.2.1"]) {
      const { headers } = await site.ask(`http://${host}/`);
      assert.is(headers.get("Access-Control-Allow-Origin"), null, host);
    }
  });

  test("options that cannot be meant are refused when the gateway is made", async () => {
    await using site = await createSite({ "a.txt": "a" });
    const bad = [
      ...["", "127.0.0.1", "[::1]", "a b", "https://example.com", "example.com/", "*.example.com"]
        .map((host) => ({ hosts: [host] })),
      ...["", "localhost", "10.0.0.0/33", "::1/129", "10.0.0.0/", "1.2.3", "[::1]", "*"]
        .map((address) => ({ trustProxy: [address] })),
    ];
    for (const options of bad) {
      let error: unknown;
      try {
        createGateway(site.node, options);
      } catch (thrown) {
        error = thrown;
      }
      assert.instance(error, NethoodError, JSON.stringify(options));
      assert.is((error as NethoodError).code, "BAD_OPTION");
    }
  });
});
