/** What a `_redirects` file says: rules in lines, and the first that fits a path. */
import * as assert from "uvu/assert";
import { matchRedirect, parseRedirects } from "../../gateway/redirects-file.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const rules = (text: string) => parseRedirects(new TextEncoder().encode(text));

/** Where the rules lead a path, as `status target`. */
function lead(text: string, path: string): string | undefined {
  const segments = path.split("/").filter((segment) => segment !== "").map(decodeURIComponent);
  const found = matchRedirect(rules(text), segments);
  return found && `${found.status} ${found.to}`;
}

suite("gateway: the file _redirects", (test) => {
  test("a rule is a path, where it leads, and a status", () => {
    const text =
      "# old names\n\n/a  /b\r\n\t/c\t/d 302 \n  # and more\n/e https://example.org/?x#y 308";
    assert.is(lead(text, "/a"), "301 /b");
    assert.is(lead(text, "/a/"), "301 /b");
    assert.is(lead(text, "/c"), "302 /d");
    assert.is(lead(text, "/e"), "308 https://example.org/?x#y");
    assert.is(lead("/a/ /b", "/a"), "301 /b");
    for (const status of [200, 301, 302, 303, 307, 308, 404, 410, 451]) {
      assert.is(lead(`/a /b ${status}`, "/a"), `${status} /b`);
    }
  });

  test("a rule is about its own path alone, and the first that fits counts", () => {
    const text = "/a.b /1\n/a/:x /2\n/a/c /3\n/A /4";
    assert.is(lead(text, "/a.b"), "301 /1");
    for (const path of ["/xx/a.b", "/a.b-zzz", "/a.b/c", "/axb", "/"]) {
      assert.is(lead(text, path), undefined, path);
    }
    assert.is(lead(text, "/a/c"), "301 /2");
    assert.is(lead(text, "/A"), "301 /4");
    assert.is(lead("/(.+) /x\n/[a-z]+ /y", "/abc"), undefined);
  });

  test("placeholders carry parts of the path over", () => {
    const posts = "/posts/:month/:day/:year/:slug /articles/:year/:month/:day/:slug?again=:year";
    assert.is(
      lead(posts, "/posts/06/15/2022/hello"),
      "301 /articles/2022/06/15/hello?again=2022",
    );
    assert.is(lead(posts, "/posts/06/15/2022"), undefined);
    assert.is(lead("/:a/:ab /:ab/:a/:other", "/1/2"), "301 /2/1/:other");
    assert.is(
      lead("/:a/:b /:a-:b", "/:b/x"),
      "301 /%3Ab-x",
      "what was filled in is no placeholder",
    );
    assert.is(lead("/s/* /t/:splat", "/s/1/2/3"), "301 /t/1/2/3");
    assert.is(lead("/s/* /t/:splat", "/s"), undefined);
    assert.is(lead("/s* /t/:splat", "/stu/v"), "301 /t/tu/v");
    assert.is(lead("/:lang/* /:splat/:lang 200", "/de/a/b"), "200 /a/b/de");
  });

  test("names in any script fit, written either way, and nothing escapes from them", () => {
    assert.is(lead("/grüße /x", "/gr%C3%BC%C3%9Fe"), "301 /x");
    assert.is(lead("/gr%C3%BC%C3%9Fe /x", "/grüße"), "301 /x");
    assert.is(
      lead("/s/* /t/:splat", "/s/a%2Fb/%0D%0ASet-Cookie:%20x"),
      "301 /t/a%2Fb/%0D%0ASet-Cookie%3A%20x",
    );
    assert.is(lead("/s/* /t?q=:splat", "/s/a&b=c%23d"), "301 /t?q=a%26b%3Dc%23d");
    // Two slashes in front would lead to another host.
    assert.is(lead("/s* /:splat", "/s/evil.example"), "301 /evil.example");
    assert.is(lead("/* /:splat", "/%2Fevil.example"), "301 /%2Fevil.example");
    assert.is(lead("/* /:splat", "/%5Cevil.example"), "301 /%5Cevil.example");
  });

  test("what cannot be meant is refused, with its line", async () => {
    const cases: [string, RegExp][] = [
      ["/a", /line 1 does not say where/],
      ["# fine\n/a /b 301 x", /line 2 is not of the form/],
      ["/a /b 301!", /line 1 has the status "301!"/],
      ["/a /b 418", /status "418", which is none of 200, 301/],
      ["/a /b 0301", /status "0301"/],
      ["a /b", /has to start with a slash/],
      ["/*/b /c", /has an asterisk that is not the end/],
      ["/** /c", /has an asterisk that is not the end/],
      ["/:x/:y/:x /c", /has the placeholder ":x" twice/],
      ["/:splat/* /c", /has the placeholder ":splat" twice/],
      ["/: /c", /has ":", which names no placeholder/],
      ["/:a.b /c", /has ":a.b", which names no placeholder/],
      ["/%zz /c", /has "%zz", which is not valid percent-encoding/],
      ["/a javascript:alert(1)", /leads to "javascript:alert\(1\)", which is neither/],
      ["/a ftp://example.org/", /neither a path nor a URL/],
      ["/a data:,x", /neither a path nor a URL/],
      ["/a b", /neither a path nor a URL/],
      ["/a //evil.example/", /neither a path nor a URL/],
      ["/a /\\evil.example/", /neither a path nor a URL/],
      ["/a https://", /neither a path nor a URL/],
      ["/a /b/../../c", /neither a path nor a URL/],
      ["/a /%2e%2e/c 200", /neither a path nor a URL/],
    ];
    for (const [text, says] of cases) {
      const error = await refusal("BAD_REDIRECTS", () => rules(text));
      assert.match(error.message, /could not parse _redirects: line /);
      assert.match(error.message, says);
      assert.is(error.status, 500);
    }
    assert.is(rules(`#${"x".repeat(64 * 1024 - 1)}`).length, 0);
    const large = await refusal("BAD_REDIRECTS", () => rules(`#${"x".repeat(64 * 1024)}`));
    assert.match(large.message, "redirects file size cannot exceed 64 KiB");
  });
});
