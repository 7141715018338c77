/** A publisher whose records are written to their name server, or told by the program itself. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { createKnot, knotAvailable } from "../helpers/knot.ts";
import { freePort, takePort } from "../helpers/port.ts";
import { complains, run, startNode, text } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const NAME = "docs.example.org";
const SECRET = createHash("sha512").update("the site's").digest("base64");
const KEY = { name: "site", algorithm: "hmac-sha512", secret: SECRET, mayUpdate: true };
const SEED = ["seed", "--name", NAME];

async function site() {
  return await createFolder({
    "site/index.html": "<p>hello</p>",
    "key": `site:hmac-sha512:${SECRET}\n`,
    "other-key": `site:hmac-sha512:${SECRET.toLowerCase()}\n`,
  });
}

suite("cli/site-dns", (test, left) => {
  const missing = knotAvailable();
  const title =
    "seed writes the record itself; a reader who knows only the name server opens the site";
  if (missing) left(title, missing);
  else {
    test(title, async () => {
      await using files = await site();
      const folder = join(files.path, "site");
      await using knot = await createKnot({ records: [], keys: [KEY] });
      const server = `rfc2136://${knot.server}`;
      const inUrl = ["--dns", `${server}?tsig=site:hmac-sha512:${SECRET}`];
      await using publisher = await startNode([...SEED, folder, ...inUrl], {
        dir: join(files.path, "publisher"),
      });
      const written = await publisher.events.until("dns:written");
      assert.equal([written.name, written.zone, written.changed], [
        `_dnslink.${NAME}`,
        "example.org",
        true,
      ]);
      const key = (written.texts as string[])[0]!.slice("dnslink=/ipns/".length);
      const file = join(files.path, "index.html");
      const read = [
        "get",
        `${NAME}/index.html`,
        "-o",
        file,
        "--dns",
        knot.server,
        "--peer",
        publisher.address,
      ];
      const reader = await run(read, { dir: join(files.path, "reader") });
      assert.is(reader.code, 0, reader.said);
      assert.is(await text(file), "<p>hello</p>");
      await publisher.stop();
      assert.not.ok(publisher.log.includes(SECRET.slice(0, 8)));

      // The same again, as persons do it for whom the list of processes is public.
      const ways: [string, string, Record<string, string>, boolean][] = [
        [`?tsig-file=${join(files.path, "key")}&zone=example.org`, "dns:written", {}, false],
        ["", "dns:written", { NETHOOD_TSIG: `site:hmac-sha512:${SECRET}` }, false],
        [`?tsig-file=${join(files.path, "other-key")}`, "dns:failed", {}, true],
      ];
      for (const [query, event, env, fails] of ways) {
        await using again = await startNode([...SEED, folder, "--dns", server + query], {
          dir: join(files.path, "publisher"),
          env,
        });
        const told = await again.events.until(event);
        if (fails) {
          assert.match(String(told.message), /has another secret for it/);
          assert.equal(told.lines, [`_dnslink.${NAME}. 60 IN TXT "dnslink=/ipns/${key}"`]);
        } else assert.is(told.changed, false);
        await again.stop();
      }
    });
  }

  test("seed is the site's name server itself, and says what the zone above needs", async () => {
    await using files = await site();
    const listen = `127.0.0.1:${await freePort()}`;
    const words = [...SEED, join(files.path, "site"), "--dns-listen", listen];
    await using publisher = await startNode(words, { dir: join(files.path, "publisher") });
    const { address, delegation } = await publisher.events.until("dns:listening");
    assert.is(address, listen);
    assert.equal(delegation, [
      `_dnslink.${NAME}. 3600 IN NS nethood-ns.${NAME}.`,
      `nethood-ns.${NAME}. 3600 IN A <this machine's public address>`,
    ]);
    const file = join(files.path, "index.html");
    const read = [
      "get",
      `${NAME}/index.html`,
      "-o",
      file,
      "--dns",
      listen,
      "--peer",
      publisher.address,
    ];
    const reader = await run(read, { dir: join(files.path, "reader") });
    assert.is(reader.code, 0, reader.said);
    assert.is(await text(file), "<p>hello</p>");
    await publisher.stop();
  });

  test("what is mistyped is told before anything is published, without the secret", async () => {
    await using files = await site();
    await using taken = await takePort();
    const seed = [...SEED, join(files.path, "site"), "--port", "0"];
    const cases: [string[], number, RegExp][] = [
      [
        ["--dns", "rfc2136://ns1.example.org"],
        2,
        /ns1\.example\.org needs a key.*\n.*NETHOOD_TSIG/,
      ],
      [["--dns", `rfc2136://ns1?tsig=site:hmac-md5:${SECRET}`], 2, /hmac-md5, which is no longer/],
      [["--dns", "rfc2136://ns1?tsig-file=/nowhere/key"], 2, /\/nowhere\/key cannot be read/],
      [["--dns", `rfc2136:ns1?tsig=site:${SECRET}`], 2, /is not one of a name server/],
      [["--dns", `rfc2163://ns1?tsig=site:${SECRET}`], 2, /is not a DNS server Nethood can ask/],
      [["--dns-listen", "53"], 2, /"53" is not an address that a name server can have/],
      [["--dns-listen", `127.0.0.1:${taken.port}`], 1, /is in use by another DNS server/],
    ];
    for (const [words, code, sentence] of cases) {
      const outcome = await run([...seed, ...words], { dir: join(files.path, "node") });
      complains(outcome, code, sentence);
      assert.not.ok(`${outcome.said}${outcome.stdout}`.includes(SECRET.slice(0, 8)));
      assert.not.match(outcome.stdout, /bafy/);
    }
    const get = ["get", NAME, "--dns", `rfc2136://ns1?tsig=site:${SECRET}`];
    complains(await run(get), 2, /--dns rfc2136:\/\/… does not belong to "get"/);
    complains(await run([...get.slice(0, 2), "--dns-listen", "0.0.0.0:53"]), 2, /does not belong/);
  });
});
