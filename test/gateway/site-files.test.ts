/** Mistakes in the files that a site has for its gateway are told to who publishes it. */
import * as assert from "uvu/assert";
import { siteFileProblems } from "../../gateway/site-files.ts";
import { addFolder } from "../../src/content/write.ts";
import { createFolder, type Files } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";

suite("gateway: a site's own files, checked", (test) => {
  test("each mistake with its line, and nothing of what is well", async () => {
    await using node = await createLoopbackNode({ listen: [] });
    const cases: [Files, string[]][] = [
      [{ "index.html": "home" }, []],
      [{ _headers: "/*\n  X-Frame-Options: DENY\n", _redirects: "/* /404.html 404\n" }, []],
      [{ _headers: "/*\n  X-Robots-Tag: none\n  Set-Cookie: a=b\n" }, [
        "The file _headers is not followed: line 3 has the header Set-Cookie, " +
        "which is not one that a site may set here.",
      ]],
      [{ _redirects: "/a /b\n/c\n" }, [
        "This node could not parse _redirects: line 2 does not say where its path leads.",
      ]],
      [{ _headers: "#".repeat(5_000_000), "_redirects/a": "a" }, [
        "The file _headers is not followed: it is larger than 64 KiB.",
        "_redirects counts for nothing: it is not a file.",
      ]],
      [{ _headers: "x\n".repeat(9) }, [
        ...[1, 2, 3, 4, 5].map((line) =>
          `The file _headers is not followed: line ${line} is no path, and stands below none.`
        ),
        "The file _headers has 4 more lines that are not followed.",
      ]],
    ];
    for (const [files, problems] of cases) {
      await using folder = await createFolder({ "index.html": "home", ...files });
      const { cid } = await addFolder(node.helia.blockstore, folder.path);
      const { signal } = new AbortController();
      assert.equal(await siteFileProblems(node, cid, { signal }), problems);
    }
  });
});
