/** Each site in an origin of its own: `http://docs-example-org.ipns.localhost:7080/`. */
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { sha512 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
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
    site.dns.zone["_dnslink.my-site.example.org"] = { txt: [`dnslink=/ipfs/${site.cid}`], ttl: 60 };
    for (const name of ["my--site-example-org", "my-site.example.org"]) {
      assert.is(await text(site.ask(`http://${name}.ipns.localhost:7080/`)), "home", name);
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

  test("a key has one origin: another form of it moves there, with path, query and port", async () => {
    await using site = await createSite({ "index.html": "home" });
    const { multihash } = CID.parse(site.key, base36);
    const older = CID.createV1(0x70, multihash).toString(base36);
    for (const form of [older, older.toUpperCase()]) {
      const response = await site.ask(`http://${form}.ipns.localhost:7080/a%20b//c?q=%2F`);
      assert.is(response.status, 301, form);
      const to = `http://${site.key}.ipns.localhost:7080/a%20b//c?q=%2F`;
      assert.is(response.headers.get("Location"), to);
    }
    const upper = await site.ask(`http://${site.key.toUpperCase()}.ipns.localhost:7080/`);
    assert.is(await upper.text(), "home", "a host's capitals are no other form");
  });

  test("a gateway host is to others what localhost is to its reader", async () => {
    await using site = await createSite({ "index.html": "home", "a b": "a" });
    const log: string[] = [];
    const app = createGateway(site.node, {
      hosts: ["Example.com:80", "gw.example.com", "bücher.example"],
      log: (line) => log.push(line),
    });
    site.dns.zone["_dnslink.docs.example.com"] = { txt: [`dnslink=/ipfs/${site.cid}`], ttl: 60 };
    for (const gateway of ["example.com:7211", "gw.example.com", "xn--bcher-kva.example"]) {
      const moves: [string, string][] = [
        [`/ipfs/${site.cid}/a%20b?x=%2B`, `${site.cid}.ipfs.${gateway}/a%20b?x=%2B`],
        [`/ipns/${SITE}`, `docs-example-org.ipns.${gateway}/`],
        [`/ipns/${site.key}/x/`, `${site.key}.ipns.${gateway}/x/`],
      ];
      for (const [path, to] of moves) {
        const response = await app.request(`http://${gateway}${path}`);
        assert.is(response.status, 301, path);
        assert.is(response.headers.get("Location"), `http://${to}`);
      }
      for (const label of [`${site.cid}.ipfs`, `${site.key}.ipns`, "docs-example-org.ipns"]) {
        assert.is(await text(app.request(`http://${label}.${gateway}/`)), "home", label);
      }
      assert.is(await text(app.request(`http://${SITE}.ipns.${gateway}/a%20b`)), "a");
      const inner = await app.request(`http://${site.cid}.ipfs.${gateway}/ipfs/${site.cid}/`);
      assert.is(inner.status, 404, "paths are the site's own");

      const guest = await text(app.request(`http://${gateway}/`));
      assert.match(guest, `http://${gateway}/ipns/docs.example.org/`);
      assert.not.match(guest, /<form|12D3Koo/);
      assert.is((await app.request(`http://${gateway}/open?address=${SITE}`)).status, 404);
    }
    assert.is(await text(app.request("http://docs.example.com/")), "home", "a site of that domain");
    const still = await app.request(`${LOCALHOST}/ipns/${SITE}/`);
    assert.is(still.headers.get("Location"), "http://docs-example-org.ipns.localhost:7080/");
    // A gateway that was not told a name has no subdomains below it.
    assert.is((await site.ask(`http://${site.cid}.ipfs.example.com/`)).status, 404);
    assert.equal(log, []);
  });

  test("what cannot be an origin is refused with a way out", async () => {
    await using site = await createSite({ "index.html": "home" });
    const long = CID.createV1(0x55, await sha512.digest(new Uint8Array(1)));
    const bad: [string, RegExp][] = [
      [
        `${LOCALHOST}/ipfs/${long}/`,
        /CID incompatible with DNS label length limit of 63.*127\.0\.0\.1/,
      ],
      [`${LOCALHOST}/ipns/${"a".repeat(60)}.example.org/`, /Name incompatible .* limit of 63/],
      [`http://${long}.ipfs.localhost:7080/`, /CID incompatible .* limit of 63/],
      [
        `${LOCALHOST}/ipfs/QmNonsense/a`,
        /invalid path "\/ipfs\/QmNonsense\/a": "QmNonsense" is not a valid CID/,
      ],
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
    const app = createGateway(site.node, { hosts: ["example.com"] });
    for (const path of [`/ipfs/${long}/`, "/ipfs/QmNonsense"]) {
      assert.is((await app.request(`http://example.com:7211${path}`)).status, 400);
    }
    assert.equal(site.log, []);
    assert.equal(site.dns.queries.filter((query) => query.includes("localhost")), []);
  });
});

async function text(response: Response | Promise<Response>): Promise<string> {
  return await (await response).text();
}
