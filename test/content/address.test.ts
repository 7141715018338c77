import * as assert from "uvu/assert";
import {
  formatAddress,
  fromHttp,
  fromLabel,
  parseAddress,
  parseCid,
  parseName,
  toLabel,
} from "../../src/content/address.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const CID = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
/** The same in other bases, and as version 0. */
const CID_36 = "k2jmtxw8rjh1z69c6not3wtdxb0u3urbzhyll1t9jg6ox26dhi5sfi1m";
const CID_58 = "zdj7Wic6KcJAfWz1c9o4M6kq9Lwd5BfbxkVafnrojaaGiSFxM";
const CID_16 = "f01701220c3c4733ec8affd06cf9e9ff50ffc6bcd2ec85a6170004bb709669c31de94391a";
const CID_64 = "uAXASIMPEcz7Ir_0Gz56f9Q_8a80uyFphcABLtwlmnDHelDka";
const CID_V0 = "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR";
const RAW = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
/** An ed25519 key: as an IPNS name, in base32, and as a peer ID. */
const KEY = "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe";
const KEY_32 = "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6";
const PEER = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq";
/** An RSA key, which is named by its hash: as an IPNS name, as a peer ID, and with the codec of older programs. */
const RSA_KEY = "k2k4r8o6f2xzvywvsl380r29ur6qm6k4f6qhol5g861tzeopagwxxjjp";
const RSA_PEER = "QmbCMUZw6JFeZ7Wp9jkzbye3Fzp2GGcPgC3nmeUjfVF87n";
const RSA_DAG_PB = "bafybeif7a7gdklt6hodwdrmwmxnhksctcuav6lfxlcyfz4khzl3qfmvcgu";

const SITE = "/ipns/docs.example.org";

/** What is written, and the one form it has afterwards. */
const READ: Record<string, [string, string][]> = {
  "paths": [
    [`/ipfs/${CID}`, `/ipfs/${CID}`],
    [`/ipfs/${CID}/`, `/ipfs/${CID}`],
    [`/ipfs/${CID}/a/b.html`, `/ipfs/${CID}/a/b.html`],
    [`/ipfs/${CID}//a///b/`, `/ipfs/${CID}/a/b`],
    [`  /ipfs/${CID}/a \n`, `/ipfs/${CID}/a`],
    ["/ipns/docs.example.org/a", `${SITE}/a`],
    [`/ipns/${KEY}/a`, `/ipns/${KEY}/a`],
  ],
  "native URLs, whose scheme has no case": [
    [`ipfs://${CID}/a`, `/ipfs/${CID}/a`],
    [`IPFS://${CID_V0}/A`, `/ipfs/${CID_V0}/A`],
    [`web+ipfs://${CID}`, `/ipfs/${CID}`],
    ["ipns://docs.example.org/a", `${SITE}/a`],
    [`web+ipns://${KEY}`, `/ipns/${KEY}`],
    [`ipns://${PEER}/A`, `/ipns/${KEY}/A`],
  ],
  "a site's own address": [
    ["http://docs.example.org/", SITE],
    ["https://docs.example.org/a/b", `${SITE}/a/b`],
    ["HTTPS://Docs.Example.ORG/A", `${SITE}/A`],
    ["docs.example.org", SITE],
    ["docs.example.org/a", `${SITE}/a`],
    ["docs.example.org./a", `${SITE}/a`],
    ["http://docs.example.org:8080/a", `${SITE}/a`],
    ["docs.example.org.:8080", SITE],
    ["http://_a.b-c.example.org", "/ipns/_a.b-c.example.org"],
    ["http://bücher.example/Ü", "/ipns/xn--bcher-kva.example/%C3%9C"],
    ["BÜCHER.example", "/ipns/xn--bcher-kva.example"],
    ["/ipns/xn--bcher-kva.example", "/ipns/xn--bcher-kva.example"],
    ["1.example.org", "/ipns/1.example.org"],
    // a path that only looks like ours, on a site of somebody else
    [`http://docs.example.org/ipfs/${CID}`, `${SITE}/ipfs/${CID}`],
    ["docs.example.org/http://a.example", `${SITE}/http%3A/a.example`],
  ],
  "CIDs in every base": [
    ...[CID, CID.toUpperCase(), CID_36, CID_36.toUpperCase(), CID_58, CID_16, CID_64].map(
      (cid): [string, string] => [`/ipfs/${cid}/a`, `/ipfs/${CID}/a`],
    ),
    [`/ipfs/${CID_V0}`, `/ipfs/${CID_V0}`],
    ["/ipfs/bafkqaaa", "/ipfs/bafkqaaa"],
  ],
  "keys in every form": [
    ...[KEY, KEY_32, KEY_32.toUpperCase(), PEER].map(
      (key): [string, string] => [`/ipns/${key}/a`, `/ipns/${KEY}/a`],
    ),
    ...[RSA_KEY, RSA_PEER, RSA_DAG_PB].map(
      (key): [string, string] => [`/ipns/${key}`, `/ipns/${RSA_KEY}`],
    ),
  ],
  "bare CIDs and keys": [
    [CID, `/ipfs/${CID}`],
    [`${CID_36}/a`, `/ipfs/${CID}/a`],
    [`${CID_58}/a?b#c`, `/ipfs/${CID}/a`],
    [CID_V0, `/ipfs/${CID_V0}`],
    [KEY, `/ipns/${KEY}`],
    [`${KEY_32}/a`, `/ipns/${KEY}/a`],
    [`${PEER}/A`, `/ipns/${KEY}/A`],
  ],
  "gateways on this machine": [
    [`http://${CID}.ipfs.localhost:8080/a`, `/ipfs/${CID}/a`],
    [`http://${CID.toUpperCase()}.IPFS.LocalHost/A`, `/ipfs/${CID}/A`],
    [`http://${KEY}.ipns.localhost:8080/`, `/ipns/${KEY}`],
    ["http://docs-example-org.ipns.localhost:8080/a", `${SITE}/a`],
    ["docs-example-org.ipns.localhost./a", `${SITE}/a`],
    ["http://docs.example.org.ipns.localhost/a", `${SITE}/a`],
    ["http://en.my-site.example.org.ipns.localhost/", "/ipns/en.my-site.example.org"],
    ["http://my--site-example-org.ipns.localhost", "/ipns/my-site.example.org"],
    ["http://xn----bcher--kva-example.ipns.localhost", "/ipns/xn--bcher-kva.example"],
    [`http://localhost:8080/ipfs/${CID}/a`, `/ipfs/${CID}/a`],
    [`localhost/ipfs/${CID}/a`, `/ipfs/${CID}/a`],
    ["http://127.0.0.1:8080/ipns/docs.example.org/a", `${SITE}/a`],
    ["http://[::1]:8080/ipns/docs.example.org/a", `${SITE}/a`],
  ],
  "percent-encoding, decoded once": [
    [`${SITE}/a%20b`, `${SITE}/a%20b`],
    [`${SITE}/a b`, `${SITE}/a%20b`],
    [`${SITE}/%61`, `${SITE}/a`],
    [`${SITE}/100%25`, `${SITE}/100%25`],
    [`${SITE}/%252e%252e/a`, `${SITE}/%252e%252e/a`],
    [`${SITE}/%3Fa%23b`, `${SITE}/%3Fa%23b`],
    [`${SITE}/a%2Fb`, `${SITE}/a%2Fb`],
    [`${SITE}/..%2F..%2Fa`, `${SITE}/..%2F..%2Fa`],
    [`${SITE}/...`, `${SITE}/...`],
    [`${SITE}/日本/🌍.html`, `${SITE}/%E6%97%A5%E6%9C%AC/%F0%9F%8C%8D.html`],
  ],
  "without query and fragment": [
    ["http://docs.example.org/a?b=/c#d", `${SITE}/a`],
    ["docs.example.org?b", SITE],
    ["docs.example.org#b", SITE],
    [`/ipfs/${CID}?b/c`, `/ipfs/${CID}`],
    [`ipns://docs.example.org#a?b`, SITE],
    [`/ipfs/${CID}/a#b?c`, `/ipfs/${CID}/a`],
  ],
};

const REFUSED: Record<string, string[]> = {
  "nothing": ["", " ", "/", "//", "http://", "http:///a", "ipfs://", "/ipfs", "/ipfs/", "/ipns//a"],
  "another kind of address": [
    "ftp://docs.example.org/a",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "mailto:somebody@example.org",
    "ipfs/a",
    "/etc/passwd",
    "//docs.example.org/a",
    `/IPFS/${CID}`,
    `/ipfs://${CID}`,
  ],
  "a CID that is none": [
    "/ipfs/nonsense",
    "/ipfs/docs.example.org",
    `/ipfs/${CID.slice(0, -1)}`,
    `/ipfs/${CID}x`,
    `/ipfs/${CID}\\a`,
    `/ipfs/${CID_V0.toLowerCase()}`,
    `/ipfs/z${CID_V0}`,
    `http://${CID_V0}.ipfs.localhost/`,
    `http://${CID}.evil.ipfs.localhost/`,
    `http://user@${CID}.ipfs.localhost/`,
  ],
  "a key that is none": [
    `/ipns/${PEER.toLowerCase()}`,
    `/ipns/${PEER.slice(0, -3)}`,
    `/ipns/${RAW}`,
  ],
  "a name that is none": [
    "localhost",
    "localhost:8080/a",
    "/ipns/localhost",
    "http://localhost.ipns.localhost/",
    "http://intranet.ipns.localhost/",
    "http://a---b-example.ipns.localhost/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://0x7f.1/",
    "http://user@docs.example.org/",
    "http://user:word@docs.example.org/",
    "user@docs.example.org",
    "/ipns/user@docs.example.org",
    "/ipns/docs.example.org:8080/a",
    "/ipns/docs.example.org\\@evil.example",
    "/ipns/docs.exam\tple.org",
    "/ipns/docs.example.org%2Fa",
    "docs.example.org..",
    ".docs.example.org",
    "docs..example.org",
    "-docs.example.org",
    "docs-.example.org",
    "do cs.example.org",
    `${"a".repeat(64)}.example.org`,
    `${"a.".repeat(130)}org`,
  ],
  "a path that no folder has": [
    `${SITE}/.`,
    `${SITE}/../a`,
    `${SITE}/%2e%2e/a`,
    `${SITE}/a/.%2E`,
    `${SITE}/a%00b`,
    `${SITE}/%`,
    `${SITE}/%zz`,
    `${SITE}/%C3`,
    `${SITE}/%ED%A0%80`,
    `${SITE}/\uD800`,
    "http://docs.example.org/a/../../b",
  ],
  "more than anybody writes": [
    `${SITE}/${"a".repeat(64 * 1024)}`,
    `/ipfs/z${"1".repeat(8_000)}`,
    // 250 bytes as their own hash: well formed, but who writes that?
    `/ipfs/f015500fa01${"61".repeat(250)}`,
    `/ipns/1${"a".repeat(8_000)}`,
  ],
};

suite("content/address", (test) => {
  for (const [what, rows] of Object.entries(READ)) {
    test(`reads ${what}`, () => {
      for (const [text, canonical] of rows) {
        const address = parseAddress(text);
        assert.is(formatAddress(address), canonical, text);
        assert.equal(parseAddress(canonical), address, `${canonical} is read differently`);
      }
    });
  }

  for (const [what, texts] of Object.entries(REFUSED)) {
    test(`refuses ${what}, and says what addresses look like`, async () => {
      for (const text of texts) {
        const { hint, message } = await refusal("BAD_ADDRESS", () => parseAddress(text));
        assert.match(hint ?? "", /\/ipfs\//, text);
        assert.ok(message.length < 200, message);
      }
    });
  }

  test("a slash that was encoded is part of a name, never a step", () => {
    assert.equal(parseAddress(`/ipfs/${CID}/a%2Fb/c`).path, ["a/b", "c"]);
  });

  test("says of another kind of address that it cannot be opened", async () => {
    const { message } = await refusal("BAD_ADDRESS", () => parseAddress("ftp://docs.example.org"));
    assert.is(message, '"ftp://docs.example.org" is not an address Nethood can open.');
  });

  test("says that a CID of content is not a key, and where it belongs", async () => {
    const { message, hint } = await refusal("BAD_ADDRESS", () => parseAddress(`/ipns/${RAW}`));
    assert.match(message, "is the CID of content");
    assert.match(hint!, `/ipfs/${RAW}`);
  });

  test("an error shows no characters that a terminal would obey", async () => {
    const { message } = await refusal("BAD_ADDRESS", () => parseAddress("\x1b[2Jevil\x9b31m"));
    assert.not.match(message, /\p{Cc}/u);
    assert.match(message, "evil");
  });

  test("a host that names no content by itself is a site", () => {
    assert.is(fromHttp("docs.example.org", `/ipfs/${CID}`), undefined);
    assert.is(fromHttp("localhost:8080", "/other"), undefined);
    assert.is(fromHttp("ipfs.localhost", "/"), undefined);
    assert.is(fromHttp(`${CID}.ipfs.localhost.evil.example`, "/"), undefined);
    assert.equal(fromHttp("LOCALHOST.:8080", `/ipfs/${CID}/a`)?.path, ["a"]);
  });

  test("every name comes back from its label", () => {
    const names = [
      "a.b",
      "docs.example.org",
      "my-site.a--b.org",
      "xn--bcher-kva.example",
      "_a.b.c",
    ];
    for (const name of names) {
      assert.not.match(toLabel(name), /\./);
      assert.is(fromLabel(toLabel(name)), name);
    }
    assert.is(toLabel("en.wikipedia-on-ipfs.org"), "en-wikipedia--on--ipfs-org");
    assert.is(fromLabel(KEY), KEY);
  });

  test("names and CIDs alone", async () => {
    assert.is(parseName("Docs.Example.ORG."), "docs.example.org");
    assert.is(parseCid(CID_V0).toV1().toString(), CID);
    await refusal("BAD_ADDRESS", () => parseName(""));
    await refusal("BAD_ADDRESS", () => parseName("http://docs.example.org"));
    await refusal("BAD_ADDRESS", () => parseCid(`/ipfs/${CID}`));
  });
});
