/** What a `_headers` file says: paths, and below them what their pages get. */
import * as assert from "uvu/assert";
import { matchHeaders, parseHeaders } from "../../gateway/headers-file.ts";
import { suite } from "../helpers/suite.ts";

const parse = (text: string) => parseHeaders(new TextEncoder().encode(text));

/** What a path gets, as an object. */
function added(text: string, path: string): Record<string, string> {
  const segments = path.split("/").slice(1).map(decodeURIComponent);
  return Object.fromEntries(matchHeaders(parse(text).rules, segments));
}

/** Whether a rule is about a path. */
function fits(rule: string, path: string): boolean {
  return "x-robots-tag" in added(`${rule}\n  X-Robots-Tag: none`, path);
}

/** What is left of one field. */
function field(line: string): string | undefined {
  const { rules, problems } = parse(`/\n  ${line}`);
  if (problems.length > 0) return problems.join();
  return rules[0]?.fields.map(([name, value]) => `${name}: ${value}`).join();
}

suite("gateway: the file _headers", (test) => {
  test("a path, and below it its headers; comments and empty lines between them", () => {
    const text = "# all\r\n/*\r\n\r\n  # framed by nobody\r\n\tX-Frame-Options:DENY\r\n" +
      "  x-robots-tag : none\r\n/a\n  Referrer-Policy: no-referrer\n/nothing\n";
    assert.equal(parse(text).problems, []);
    const all = { "x-frame-options": "deny", "x-robots-tag": "none" };
    assert.equal(added(text, "/x/y"), all);
    assert.equal(added(text, "/a"), { ...all, "referrer-policy": "no-referrer" });
  });

  test("an asterisk stands for anything, a placeholder for one name", () => {
    const cases: [string, string[], string[]][] = [
      ["/*", ["/", "/a", "/a/", "/a/b.css"], []],
      ["/", ["/"], ["/a", "/index.html"]],
      ["/a", ["/a", "/a/"], ["/", "/A", "/a/b", "/b/a", "/ab"]],
      ["/a/", ["/a", "/a/"], ["/a/b"]],
      ["/a/*", ["/a/", "/a/b", "/a/b/c"], ["/a", "/b/a/", "/"]],
      ["/a/*.css", ["/a/b.css", "/a/b/c.css", "/a/.css"], ["/a/b.css/c", "/a.css", "/a/b.cs"]],
      ["/a*a", ["/aa", "/a/b/a", "/aba"], ["/a", "/ab"]],
      ["/:lang/index.html", ["/de/index.html"], [
        "/index.html",
        "/de/x/index.html",
        "//index.html",
      ]],
      ["/:lang/*/:page", ["/de/a/b", "/de/a/b/c"], ["/de/a", "/de"]],
      ["/gr%C3%BC%C3%9Fe/*", ["/grüße/1"], ["/gruesse/1"]],
      ["/grüße", ["/gr%C3%BC%C3%9Fe"], []],
    ];
    for (const [rule, yes, no] of cases) {
      for (const path of yes) assert.ok(fits(rule, path), `${rule} is about ${path}`);
      for (const path of no) assert.not.ok(fits(rule, path), `${rule} is not about ${path}`);
    }
  });

  test("what rules say of one path adds up, or the last word counts", () => {
    const text = `/*
  Content-Security-Policy: default-src 'self'
  Content-Security-Policy: img-src *
  Cross-Origin-Opener-Policy: same-origin
  X-Frame-Options: DENY
/embed/*
  Content-Security-Policy: script-src 'none'
  X-Frame-Options: SAMEORIGIN
  Link: </a.css>; rel=preload; as=style
  Link: </b.js>; rel="modulepreload"
`;
    assert.equal(added(text, "/embed/"), {
      "content-security-policy": "default-src 'self', img-src *, script-src 'none'",
      "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "sameorigin",
      link: '</a.css>; rel=preload; as=style, </b.js>; rel="modulepreload"',
    });
  });

  test("only what asks less of the reader than their browser gives comes through", () => {
    const values: [string, string | undefined][] = [
      ["Content-Language: de, en-GB", "content-language: de, en-GB"],
      ["X-Robots-Tag: otherbot: noindex, nofollow", "x-robots-tag: otherbot: noindex, nofollow"],
      [
        "Permissions-Policy: camera=(), geolocation=(self)",
        "permissions-policy: camera=(), geolocation=(self)",
      ],
      [
        "Referrer-Policy: no-referrer, strict-origin",
        "referrer-policy: no-referrer, strict-origin",
      ],
      ["Cross-Origin-Embedder-Policy: require-corp", "cross-origin-embedder-policy: require-corp"],
      ["Cross-Origin-Resource-Policy: same-site", "cross-origin-resource-policy: same-site"],
      ["Origin-Agent-Cluster: ?1", "origin-agent-cluster: ?1"],
      ["X-Content-Type-Options: nosniff", "x-content-type-options: nosniff"],
      [
        "Link: <https://cdn.example/a,b.css>; rel=preconnect, </>; rel=canonical",
        "link: <https://cdn.example/a,b.css>; rel=preconnect, </>; rel=canonical",
      ],
      // as it is anyway
      ["Access-Control-Allow-Origin: *", undefined],
      // what would lead out of this node, or tell of its reader, is taken out of a policy
      [
        "Content-Security-Policy: default-src 'self'; Upgrade-Insecure-Requests; report-uri https://x.example/ ; report-to x; frame-ancestors 'none';",
        "content-security-policy: default-src 'self'; frame-ancestors 'none'",
      ],
      [
        "Content-Security-Policy: upgrade-insecure-requests, img-src *",
        "content-security-policy: img-src *",
      ],
      ["Content-Security-Policy: upgrade-insecure-requests", undefined],
    ];
    for (const [line, sent] of values) assert.is(field(line), sent, line);
    const refused = [
      "Access-Control-Allow-Origin: https://example.org",
      "Content-Security-Policy: default-src 'self' ü",
      "Content-Security-Policy:",
      'Cross-Origin-Opener-Policy: same-origin; report-to="x"',
      "Link: </a>; rel=serviceworker",
      "Link: </a>",
      "Link: </a>; rel=preload\u0000",
      "Link: a; rel=preload",
      "Origin-Agent-Cluster: ?0",
      "Referrer-Policy: unsafe-url",
      "Referrer-Policy: no-referrer, unsafe-url",
      "X-Content-Type-Options: none",
      "X-Frame-Options: ALLOW-FROM https://example.org",
      "X-Robots-Tag: nö",
    ];
    for (const line of refused) {
      assert.match(field(line)!, /^line 2 has the header .*, whose value/, line);
    }
    assert.match(field(`X-Robots-Tag: ${"x".repeat(5000)}`)!, "whose value is longer than 4096");
    const names =
      "Set-Cookie Service-Worker-Allowed Clear-Site-Data Strict-Transport-Security Alt-Svc Refresh Connection Keep-Alive " +
      "Transfer-Encoding Upgrade Trailer Content-Length Content-Type Content-Encoding Cache-Control Expires Age ETag Vary " +
      "Location Accept-Ranges X-Ipfs-Path X-Ipfs-Roots Access-Control-Allow-Credentials Access-Control-Allow-Headers " +
      "Content-Security-Policy-Report-Only Report-To Reporting-Endpoints NEL Accept-CH X-Accel-Redirect X-Sendfile " +
      "Content-Disposition Content-Location Cache-Status __proto__ constructor";
    for (const name of names.split(" ")) {
      assert.is(
        field(`${name}: *`),
        `line 2 has the header ${name}, which is not one that a site may set here`,
      );
    }
  });

  test("each line that cannot be used is told of, and the others count", () => {
    const text = `  X-Frame-Options: DENY
/a*b*
  X-Frame-Options: DENY
/ok
  X-Frame-Options
  Bad Name: x
  Set-Cookie: a=b
  X-Robots-Tag: none
https://example.org/ok
  X-Frame-Options: DENY
/:
/b c
/%zz
/last
  X-Frame-Options: DENY`;
    const { rules, problems } = parse(text);
    assert.equal(rules, [
      { path: ["ok"], fields: [["x-robots-tag", "none"]] },
      { path: ["last"], fields: [["x-frame-options", "deny"]] },
    ]);
    assert.equal(
      problems.map((problem) => problem.replace(/^(line \d+ \w+ \w+).*/, "$1")),
      [
        "line 1 is no",
        "line 2 has more",
        "line 5 is no",
        "line 6 is no",
        "line 7 has the",
        "line 9 begins with",
        "line 11 has ",
        "line 12 has more",
        "line 13 has ",
      ].map((start, i) => i === 6 || i === 8 ? problems[i] : start),
    );
    assert.match(problems[6]!, 'line 11 has ":", which names no placeholder');
    assert.match(problems[8]!, 'line 13 has "%zz", which is not valid percent-encoding');
  });

  test("an answer gets no more than proxies have room for, and no file takes long", () => {
    const many = `/*\n${"  X-Robots-Tag: noindex, nofollow, noarchive\n".repeat(1000)}`;
    assert.ok(added(many, "/")["x-robots-tag"]!.length <= 6 * 1024);
    assert.ok(added(many, "/")["x-robots-tag"]!.length > 5 * 1024);
    const slow = `/:a/${"a".repeat(20)}*b\n  X-Robots-Tag: none\n`.repeat(1300);
    const rules = parse(slow).rules;
    const began = performance.now();
    for (let i = 0; i < 10; i++) matchHeaders(rules, ["x", "a".repeat(16_000)]);
    assert.ok(performance.now() - began < 2_000);
  });
});
