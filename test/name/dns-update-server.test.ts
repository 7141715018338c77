/** How a person writes a name server that takes updates, and its key. */
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { createTxtResolver } from "../../src/name/dns.ts";
import { isUpdateAddress, parseKey, parseUpdateAddress } from "../../src/name/dns-update-server.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

/** Base64 with all that a URL makes trouble with. */
const SECRET = "+/+/c2VjcmV0IG9mIHRoZSBzaXRl/w==";
const BYTES = Buffer.from(SECRET, "base64");

const BIND_FILE = `key "site.example.org" {
\talgorithm hmac-sha512;
\tsecret "${SECRET}";
};
`;

const KNOT_FILE = `# hmac-sha384:site.example.org:${SECRET}
key:
- id: site.example.org
  algorithm: hmac-sha384
  secret: ${SECRET}
`;

suite("name/dns-update-server", (test) => {
  test("a name server is a URL with its key, a key file, or neither", () => {
    const plain = { zone: undefined, tsig: undefined, tsigFile: undefined };
    assert.equal(parseUpdateAddress("rfc2136://ns1.example.org"), {
      ...plain,
      text: "ns1.example.org",
      host: "ns1.example.org",
      port: 53,
    });
    assert.equal(
      parseUpdateAddress("RFC2136://NS1.Example.org:80/?tsig-file=/etc/my%20key&zone=Example.org."),
      {
        text: "ns1.example.org:80",
        host: "ns1.example.org",
        port: 80,
        zone: "example.org",
        tsig: undefined,
        tsigFile: "/etc/my key",
      },
    );
    const v6 = parseUpdateAddress(`rfc2136://[2001:db8::1]:5353?tsig=site:hmac-sha256:${SECRET}`);
    assert.equal([v6.text, v6.host, v6.port], ["[2001:db8::1]:5353", "2001:db8::1", 5353]);
    assert.equal(parseKey(v6.tsig!).secret, BYTES, "a plus sign in base64 is no space");
    const { tsig } = parseUpdateAddress(`rfc2136://ns1?tsig=${encodeURIComponent(`s:${SECRET}`)}`);
    assert.equal(parseKey(tsig!).secret, BYTES);
  });

  test("a key is a line in any usual order, or a whole file of BIND's or Knot's tools", () => {
    const key = { name: "site.example.org", secret: BYTES };
    const texts: [string, string][] = [
      [`site.example.org:hmac-sha256:${SECRET}`, "hmac-sha256"],
      [`HMAC-SHA512:Site.example.org.:${SECRET}`, "hmac-sha512"],
      [`site.example.org:${SECRET}\n`, "hmac-sha256"],
      [`site.example.org:hmac-sha1.:${SECRET}\r\n`, "hmac-sha1"],
      [BIND_FILE, "hmac-sha512"],
      [KNOT_FILE, "hmac-sha384"],
    ];
    for (const [text, algorithm] of texts) assert.equal(parseKey(text), { ...key, algorithm });
  });

  test("what is none is told without the secret", async () => {
    const wrong: [() => unknown, RegExp][] = [
      [() => parseUpdateAddress(`rfc2136:/ns1?tsig=s:${SECRET}`), /is not one of a name server/],
      [() => parseUpdateAddress(`rfc2136://u:${SECRET}@ns1`), /is not one of a name server/],
      [() => parseUpdateAddress(`rfc2136://ns1:99999?tsig=s:${SECRET}`), /is not one of a name/],
      [() => parseUpdateAddress(`rfc2136://ns1:0?tsig=s:${SECRET}`), /no port 0/],
      [() => parseUpdateAddress(`rfc2136://ns1?tsgi=s:${SECRET}`), /does not know/],
      [() => parseUpdateAddress(`rfc2136://ns1?tsig=s:${SECRET}&tsig=t:a`), /has tsig= twice/],
      [() => parseUpdateAddress(`rfc2136://ns1?tsig=s:${SECRET}&tsig-file=a`), /both tsig= and/],
      [() => parseUpdateAddress(`rfc2136://ns1?tsig=s%:${SECRET}`), /percent-encoding/],
      [
        () => parseUpdateAddress(`rfc2136://ns1?zone=a..b&tsig=s:${SECRET}`),
        /needs the name of a DNS/,
      ],
      [() => parseUpdateAddress(`rfc2136://ns1?tsig=`), /needs a value behind tsig=/],
      [() => parseKey(`site:hmac-md5:${SECRET}`), /hmac-md5, which is no longer safe/],
      [() => parseKey(`site:hmac-md5.sig-alg.reg.int:${SECRET}`), /no longer safe/],
      [() => parseKey(`site:hmac-sha3:${SECRET}`), /is not one of hmac-sha1, /],
      [() => parseKey(`site:${SECRET}:hmac-sha256`), /is not one of hmac-sha1, /],
      [() => parseKey(SECRET), /not base64, or cut short/],
      [() => parseKey(`site:hmac-sha256:${SECRET}!`), /not base64/],
      [() => parseKey(`site:${SECRET.slice(0, 4)}`), /cut short/],
      [() => parseKey(`a..b:${SECRET}`), /has no name/],
      [() => parseKey(`a:b:c:${SECRET}`), /has no name/],
      [() => parseKey(""), /has no name/],
      // Not for updates, for all that the program sees: it goes the way of resolvers.
      [
        () => createTxtResolver([`rfc2163://ns1?tsig=s:${SECRET}`]),
        /"rfc2163:\/\/ns1\?…" is not a DNS/,
      ],
    ];
    for (const [work, sentence] of wrong) {
      const { message, hint } = await refusal("BAD_OPTION", work);
      assert.match(message, sentence);
      assert.not.ok(`${message}${hint}`.includes(SECRET.slice(0, 8)), message);
    }
  });

  test("resolvers are none of them", () => {
    for (const text of ["1.1.1.1", "udp://ns1.example.org", "https://ns1.example.org/dns-query"]) {
      assert.not.ok(isUpdateAddress(text));
    }
    assert.ok(isUpdateAddress("rfc2136:ns1"), "a slip behind it shows no secret to a resolver");
  });
});
