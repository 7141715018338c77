/** The pins of a site's versions: each costs what is new in it, and takes with it what no other has. */
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import type { Blocks } from "../../src/content/blocks.ts";
import { pinAll, pinEach } from "../../src/content/pin.ts";
import { pinTree, unpinTree } from "../../src/content/pin-tree.ts";
import { notCached } from "../../src/errors.ts";
import { utf8 } from "../helpers/bytes.ts";
import { thrown } from "../helpers/failure.ts";
import { bytes, counted, createHome, type Home } from "../helpers/pin-home.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;
const SITE = "/ipns/docs.example.org";

/** A site of three folders, of which this is one page. */
const pages = (page: string) => ({
  "index.html": utf8(page),
  "film": bytes(2.5 * MIB, 7),
  "docs/a.html": utf8("a"),
  "docs/en/b.html": utf8("b"),
});

suite("content/pin-tree", (test) => {
  test("of the next version only what is new is read, and both are kept whole", async () => {
    await using home = await createHome();
    const { helia } = home.node;
    const [one, first] = await home.add(pages("one"));
    const [two, second] = await home.add(pages("two"));
    const { blocks, asked } = counted(home.source);
    await pinTree(helia, blocks, one, SITE);
    asked.length = 0;
    await pinTree(helia, blocks, two, SITE);
    assert.equal(asked, [String(two)]);
    await pinTree(helia, blocks, two, SITE);
    assert.equal(asked, [String(two)], "once more costs nothing");
    await helia.gc();
    for (const all of [first, second]) assert.equal(await home.onDisk(all), all);
  });

  test("beside the version before only the pins of what differs are looked for", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const more = (page: string) => ({ ...pages(page), [`docs/en/${page}`]: utf8(page) });
    const [one, first] = await home.add(more("one"));
    const [two, second] = await home.add(more("two"));
    const looked: string[] = [];
    const { pins } = helia;
    const get = pins.get.bind(pins);
    pins.get = (cid, options) => (looked.push(String(cid)), get(cid, options));
    await pinTree(helia, blocks, one, SITE);
    looked.length = 0;
    await pinTree(helia, blocks, two, SITE, { since: one });
    const same = first.filter((cid) => second.includes(cid));
    assert.ok(same.length > 3, "the film, its parts, and two pages");
    assert.equal(looked.filter((cid) => same.includes(cid)), []);
    await unpinTree(helia, blocks, one, SITE, [two]);
    await helia.gc();
    assert.equal(await home.onDisk(second), second);
    await unpinTree(helia, blocks, two, SITE, []);
    await helia.gc();
    assert.equal(await home.onDisk(second), []);
  });

  test("the version before is no ground where its parts have no pins for this site, or it is damaged", async () => {
    const other = "/ipns/other.example.org";
    const grounds: Record<string, (home: Home, one: CID) => Promise<void>> = {
      "one pin for all": ({ node, source }, one) => pinAll(node.helia, source, one, SITE),
      "another site's": ({ node, source }, one) => pinTree(node.helia, source, one, other),
      "passed through": ({ node, source }, one) => pinEach(node.helia, source, [one], SITE),
      "not pinned": () => Promise.resolve(),
      "damaged": ({ node, source }, one) => pinTree(node.helia, source, one, SITE),
    };
    for (const [ground, lay] of Object.entries(grounds)) {
      await using home = await createHome();
      const { helia } = home.node;
      const [one] = await home.add(pages("one"));
      const [two, second] = await home.add(pages("two"));
      await lay(home, one);
      const damaged: Blocks = {
        get: (cid, options) => {
          if (ground !== "damaged" || !cid.equals(one)) return home.source.get(cid);
          return Promise.reject(
            options?.local ? notCached(`The block ${cid}`) : new Error("others are asked"),
          );
        },
      };
      await pinTree(helia, damaged, two, SITE, { since: one });
      for (const label of [SITE, other]) await unpinTree(helia, home.source, one, label, [two]);
      await helia.gc();
      assert.equal(await home.onDisk(second), second, ground);
      await unpinTree(helia, home.source, two, SITE, []);
      await helia.gc();
      assert.not.ok((await home.onDisk(second)).includes(String(two)), ground);
    }
  });

  test("a version that is let go takes with it what no other has, whichever it is", async () => {
    for (const oldest of [true, false]) {
      await using home = await createHome();
      const { helia, blocks } = home.node;
      // A page moves, so that it has another place in each of them.
      const [one, first] = await home.add({ ...pages("one"), "moved": utf8("it moves") });
      const [two, second] = await home.add({ ...pages("two"), "docs/new": utf8("it moves") });
      for (const root of [one, two]) await pinTree(helia, blocks, root, SITE);
      const [gone, goneAll] = oldest ? [one, first] : [two, second];
      const [kept, keptAll] = oldest ? [two, second] : [one, first];
      await unpinTree(helia, blocks, gone, SITE, [kept]);
      await helia.gc();
      assert.equal(await home.onDisk(keptAll), keptAll);
      assert.equal(await home.onDisk(goneAll), goneAll.filter((cid) => keptAll.includes(cid)));
      await unpinTree(helia, blocks, kept, SITE, []);
      await helia.gc();
      assert.equal(await home.onDisk(keptAll), []);
    }
  });

  test("what another site or a reader wants, too, stays", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [one, all] = await home.add(pages("one"));
    const [docs, page] = [await home.cid(one, "docs"), await home.cid(one, "index.html")];
    const [, below] = await home.tree(docs);
    const [other, others] = await home.add({
      "a/docs/a.html": utf8("a"),
      "a/docs/en/b.html": utf8("b"),
    });
    await pinTree(helia, blocks, one, SITE);
    await pinTree(helia, blocks, other, "/ipns/other.example.org");
    await pinEach(helia, blocks, [one], `${SITE}/index.html`);
    await pinAll(helia, blocks, page, `${SITE}/index.html`);
    await unpinTree(helia, blocks, one, SITE, []);
    await helia.gc();
    assert.ok(below.every((cid) => others.includes(cid)));
    assert.equal(await home.onDisk(others), others);
    // The way to the page, the page, and what the other site has; the film is gone.
    const wanted = new Set([String(one), String(page), ...below]);
    assert.equal(await home.onDisk(all), all.filter((cid) => wanted.has(cid)));
  });

  test("a part of which another site has only files of its own is not taken from under it", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [one] = await home.add({ "x/page": utf8("page"), "only": utf8("here") });
    const [two] = await home.add({ "page": utf8("page"), "and": utf8("more") });
    const [other, others] = await home.add({ "y/x/page": utf8("page") });
    await pinTree(helia, blocks, one, SITE);
    await pinTree(helia, blocks, other, "/ipns/other.example.org");
    await unpinTree(helia, blocks, one, SITE, []);
    await pinTree(helia, blocks, two, SITE);
    await unpinTree(helia, blocks, two, SITE, []);
    await helia.gc();
    assert.equal(await home.onDisk(others), others);
  });

  test("a version pinned as a whole, as single pages and folders are, can be let go like any other", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [one, first] = await home.add(pages("one"));
    const [two, second] = await home.add(pages("two"));
    await pinAll(helia, blocks, one, SITE);
    for (const root of [one, two]) await pinTree(helia, blocks, root, SITE);
    await unpinTree(helia, blocks, one, SITE, [two]);
    await helia.gc();
    assert.equal(await home.onDisk(second), second);
    assert.equal(await home.onDisk(first), first.filter((cid) => second.includes(cid)));
  });

  test("interrupted at any block, pinning and letting go are finished by the next try", async () => {
    await using home = await createHome();
    const { helia } = home.node;
    const [one, first] = await home.add(pages("one"));
    const [two, second] = await home.add(pages("two"));
    const reason = new Error("the node stops");
    /** Answers this often, then no more. */
    const failing = (times: number): Blocks => ({
      get: (cid: CID) => times-- > 0 ? home.source.get(cid) : Promise.reject(reason),
    });
    for (let times = 0; times < 4; times++) {
      assert.is(await thrown(pinTree(helia, failing(times), one, SITE)), reason);
    }
    for (const root of [one, two]) await pinTree(helia, home.source, root, SITE);
    await helia.gc();
    for (const all of [first, second]) assert.equal(await home.onDisk(all), all);
    // Two folders and a film of what is kept are read first, and its root.
    for (let times = 0; times < 5; times++) {
      assert.is(await thrown(unpinTree(helia, failing(times), one, SITE, [two])), reason);
    }
    await unpinTree(helia, home.source, one, SITE, [two]);
    await helia.gc();
    assert.equal(await home.onDisk(second), second);
    assert.equal(await home.onDisk(first), first.filter((cid) => second.includes(cid)));
  });
});
