/** Each site in an origin of its own: `http://docs-example-org.ipns.localhost:7080/`. */
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { sha512 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const LOCALHOST = "http://localhost:7080";

suite("gateway: subdomains", (test) => {
  test("every form of a site's origin shows the site", async () => {
    await using site = await createSite({ "index.html": "home", "a/ä?.txt": "a" });
    const names = [`${site.cid}.ipfs`, `${site.key}.ipns`, "docs-example-org.ipns", `${SITE}.ipns`];
    for (const name of names) {
      const home = await site.ask(`http://${name}.localhost:7080/`);
      assert.is(home.status, 200, name);
      assert.is(await home.text(), "home", name);
      assert.is(await text(site.ask(`http://${name}.localhost/a/%C3%A4%3F.txt`)), "a", name);
    }
    const folder = await site.ask("http://docs-example-org.ipns.localhost:7080/a?x=1");
    assert.is(folder.headers.get("Location"), "/a/?x=1");
  });

  test("a path on localhost moves to the origin of its site, with path, query and port", async () => {
    await using site = await createSite({ "index.html": "home" });
    const v0 = CID.parse("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    const peer = base58btc.encode(CID.parse(site.key, base36).multihash.bytes).slice(1);
    const moves: [string, string][] = [
      [
        `/ipfs/${site.cid}/a%20b//c?q=1&r=%2F`,
        `${site.cid}.ipfs.localhost:7080/a%20b//c?q=1&r=%2F`,
      ],
      [`/ipfs/${site.cid}`, `${site.cid}.ipfs.localhost:7080/`],
      [`/ipfs/${v0}/x`, `${v0.toV1()}.ipfs.localhost:7080/x`],
      [`/ipns/${site.key}/`, `${site.key}.ipns.localhost:7080/`],
      [`/ipns/${peer}/`, `${site.key}.ipns.localhost:7080/`],
      [`/ipns/${SITE}/x/`, "docs-example-org.ipns.localhost:7080/x/"],
      ["/ipns/my-site.example.org/", "my--site-example-org.ipns.localhost:7080/"],
    ];
    for (const [path, to] of moves) {
      const response = await site.ask(LOCALHOST + path);
      assert.is(response.status, 301, path);
      assert.is(response.headers.get("Location"), `http://${to}`);
    }
  });

  test("what cannot be an origin is refused with a way out", async () => {
    await using site = await createSite({ "index.html": "home" });
    const long = CID.createV1(0x55, await sha512.digest(new Uint8Array(1)));
    const bad: [string, RegExp][] = [
      [`${LOCALHOST}/ipfs/${long}/`, /label length limit of 63.*127\.0\.0\.1/],
      [`${LOCALHOST}/ipns/${"a".repeat(60)}.example.org/`, /label length limit of 63/],
      [`http://${long}.ipfs.localhost:7080/`, /label length limit of 63/],
      [`${LOCALHOST}/ipfs/nonsense/`, /"nonsense" is not a valid CID/],
      ["http://nonsense.ipfs.localhost:7080/", /"nonsense" is not a valid CID/],
      ["http://nonsense.ipns.localhost:7080/", /neither a CID, an IPNS key nor a DNS name/],
      ["http://docs.example.org.localhost:7080/", /names no site.*ipns\.localhost/],
      ["http://ipfs.localhost:7080/", /names no site/],
      [`http://${site.cid}.ipld.localhost:7080/`, /names no site/],
    ];
    for (const [url, says] of bad) {
      const response = await site.ask(url);
      assert.is(response.status, 400, url);
      assert.match(await response.text(), says);
    }
    assert.equal(site.log, []);
    assert.equal(site.dns.queries.filter((query) => query.includes("localhost")), []);
  });
});

async function text(response: Promise<Response>): Promise<string> {
  return await (await response).text();
}
