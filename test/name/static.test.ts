/** Names that a person gave a meaning to, as IPFS_NS_MAP writes them. */
import * as assert from "uvu/assert";
import { parseNameMap, withStatic } from "../../src/name/static.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const KEY = "k51qzi5uqu5dlxdsdu5fpuu7h69wu4ohp32iwm9pdt9nq3y5rpn3ln9j12zfhe";

suite("name/static", (test) => {
  test("a name that is in the map is not looked up, in whatever form it comes; others are", async () => {
    const asked: string[] = [];
    const lookup = withStatic(
      parseNameMap(
        ` Docs.Example.org:/ipfs/${CID}/a b:c,\n`.replace("a b:c", "a:c") +
          `bücher.example:/ipns/${KEY},`,
      ),
      (name) => {
        asked.push(name);
        return Promise.resolve({ value: "/ipfs/looked-up", ttl: 1 });
      },
    );
    assert.equal(await lookup("docs.example.org"), { value: `/ipfs/${CID}/a:c`, ttl: 60 });
    assert.is((await lookup("xn--bcher-kva.example")).value, `/ipns/${KEY}`);
    assert.equal(asked, []);
    assert.is((await lookup("other.example.org")).value, "/ipfs/looked-up");
    assert.equal(asked, ["other.example.org"]);
    // what every object has is no name in it
    assert.is((await withStatic({}, lookup)("constructor")).value, "/ipfs/looked-up");
  });

  test("whatever cannot be meant is told as it was written, with the way to write it", async () => {
    const wrong = [
      "docs.example.org",
      "docs.example.org=/ipfs/x",
      "docs.example.org:",
      `docs.example.org:${CID}`,
      "docs.example.org:/ipfs/not-a-cid",
      "docs.example.org:/ipns/",
      "docs.example.org:/http/example.org",
      `docs.example.org:/ipfs/${CID}/../..`,
      `localhost:/ipfs/${CID}`,
      `127.0.0.1:/ipfs/${CID}`,
      `a b:/ipfs/${CID}`,
      `:/ipfs/${CID}`,
    ];
    for (const text of wrong) {
      const map = `good.example.org:/ipfs/${CID},${text}`;
      const error = await refusal(
        "BAD_OPTION",
        () => withStatic(parseNameMap(map), () => assert.unreachable() as never),
      );
      assert.ok(error.message.includes(text.trim()), `${error.message} does not name ${text}`);
      assert.match(error.hint!, /docs\.example\.org:\/ipfs\/<cid>/);
    }
  });
});
