/** Content that nobody publishes in good faith, beside some that is fine: what a gateway has to survive. */
import { encode as encodePb } from "@ipld/dag-pb";
import * as dagCbor from "@ipld/dag-cbor";
import * as dagJson from "@ipld/dag-json";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import { create as createDigest } from "multiformats/hashes/digest";
import { utf8 } from "./bytes.ts";
import { DAG_CBOR, type MemoryBlocks, RAW, type WireLink } from "./memory-blocks.ts";
import { file } from "./memory-files.ts";
import { noise } from "./tricky-sites.ts";

const DAG_PB = 0x70, DAG_JSON = 0x0129, JSON_CODE = 0x0200, CBOR = 0x51;

/** Folders in folders of which each holds the next one twice: so many levels, twice as many paths each. */
const BOMB_LEVELS = 40;

const MURMUR3 = 0x22n;

export interface HostileBlocks {
  /** A site that is as it should be, but for its missing parts. */
  site: CID;
  /** By what is wrong with them. */
  roots: Record<string, CID>;
  /** Paths below any root that lead somewhere in one of them. */
  paths: string[];
  /** CIDs of blocks that nobody has. */
  missing: CID[];
}

export async function createHostileBlocks(blocks: MemoryBlocks): Promise<HostileBlocks> {
  const text = await blocks.put(RAW, utf8("text of a file"));
  const folder = (links: Record<string, CID>) =>
    blocks.node({
      type: "DIRECTORY",
      links: Object.entries(links).map(([name, cid]): WireLink => ({ name, cid })),
    });
  const link = (target: string) => blocks.node({ type: "SYMLINK", data: utf8(target) });
  const nobody = async (words: string, codec = RAW) =>
    CID.createV1(codec, await sha256.digest(utf8(words)));

  const [first, gap, last] = [
    await blocks.put(RAW, noise(30_000)),
    await nobody("a part in the middle"),
    await blocks.put(RAW, noise(29_000)),
  ];
  const holed = await blocks.node(file([first, gap, last], [30_000, 1_000, 29_000], {
    fileSize: 60_000n,
  }));
  const whole = await blocks.node(file([first, last], [30_000, 29_000], { fileSize: 59_000n }));
  const lost = await nobody("a whole folder", DAG_PB);

  let bomb = await folder({ "end.txt": text });
  for (let level = 0; level < BOMB_LEVELS; level++) bomb = await folder({ a: bomb, b: bomb });
  let deep = await folder({ "end.txt": text });
  for (let level = 0; level < 200; level++) deep = await folder({ a: deep });

  const inner = await blocks.put(
    DAG_CBOR,
    dagCbor.encode({ up: whole, list: [1, { text }], n: 1 }),
  );
  const document = await blocks.put(DAG_JSON, dagJson.encode({ a: inner, "..": text, "": inner }));
  const depth = await blocks.put(
    JSON_CODE,
    utf8("[".repeat(50_000) + "]".repeat(50_000)),
  );

  const site = await folder({
    "index.html": await blocks.put(RAW, utf8("<h1>A site</h1>")),
    "a.txt": text,
    "film.bin": whole,
    "holed.bin": holed,
    "lost": lost,
    "docs": await folder({ "page one.html": text, "größe.txt": text, "100%.txt": text }),
    "document": document,
    "_redirects": await blocks.put(
      RAW,
      utf8(
        "/old /a.txt\n/see/:what /docs/:what 200\n/gone /a.txt 410\n/law /a.txt 451\n/to/* /a/:splat 302\n" +
          "/far/* https://example.org/:splat 307\n/nowhere /void 200\n/r /a.txt 303\n/p /a.txt 308\n/* /a.txt 404",
      ),
    ),
  });

  const roots: Record<string, CID> = {
    site,
    whole,
    holed,
    lost,
    text,
    bomb,
    deep,
    document,
    inner,
    depth,
    cbor: await blocks.put(CBOR, dagCbor.encode({ a: [1, 2, 3] })),
    "broken cbor": await blocks.put(DAG_CBOR, new Uint8Array([0x9f, 0xff, 0xff])),
    "deep cbor": await blocks.put(DAG_CBOR, new Uint8Array(60_000).fill(0x81)),
    "broken json": await blocks.put(DAG_JSON, utf8('{"/":"baf"}')),
    "broken pb": await blocks.put(DAG_PB, new Uint8Array([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])),
    "no unixfs": await blocks.put(DAG_PB, encodePb({ Links: [] })),
    "odd codec": await blocks.put(0x78, utf8("git-raw")),
    "odd hash": CID.createV1(RAW, createDigest(0x1013, new Uint8Array(28))),
    "huge hash": CID.createV1(RAW, createDigest(0x12, new Uint8Array(120))),
    inline: CID.createV1(RAW, identity.digest(utf8("inline"))),
    "long inline": CID.createV1(RAW, identity.digest(noise(129))),
    "inline folder": CID.createV1(DAG_PB, identity.digest(new Uint8Array([0x0a, 2, 8, 1]))),
    large: await blocks.put(RAW, noise(2 * 1024 * 1024 + 1)),
    "false size": await blocks.node(file([first], [30_000], { fileSize: 2n ** 52n })),
    "false part": await blocks.node(
      file([first, last], [5, 2 ** 50], { fileSize: 2n ** 50n + 5n }),
    ),
    "huge size": await blocks.node(file([first], [1], { fileSize: 2n ** 64n - 1n })),
    "part of itself": await blocks.node(file([inner, lost], [1, 1], { fileSize: 2n })),
    "wrong fan-out": await blocks.node({
      type: "HAMT_SHARD",
      fanOut: 7n,
      hashType: MURMUR3,
      links: [{ name: "00a.txt", cid: text }],
    }),
    "wrong prefix": await blocks.node({
      type: "HAMT_SHARD",
      fanOut: 256n,
      hashType: MURMUR3,
      data: new Uint8Array([1]),
      links: [{ name: "ZZa.txt", cid: text }, { name: "", cid: text }, { name: "0", cid: lost }],
    }),
    "shard of nothing": await blocks.node({
      type: "HAMT_SHARD",
      fanOut: 2n ** 40n,
      hashType: MURMUR3,
    }),
    metadata: await blocks.node({ type: "METADATA" }),
    "links out": await folder({ l: await link("../../../etc/passwd"), m: await link("/etc") }),
    "a link": await link("a\0b\nc"),
    climbs: await folder({ "../../evil": text, "/etc/passwd": text, "": text, ".": text }),
    odd: await folder({
      "a\nb": text,
      "<script>": text,
      "\u202e": text,
      "a\\b": text,
      "a\0": text,
    }),
    "broken rules": await folder({ "_redirects": await blocks.put(RAW, utf8("/a /b 301!")) }),
    "long rules": await folder({ "_redirects": await blocks.put(RAW, noise(66_000)) }),
    "rules that are a folder": await folder({ "_redirects": await folder({}) }),
    "index that is a folder": await folder({ "index.html": await folder({ "index.html": text }) }),
    "index that is lost": await folder({ "index.html": gap }),
  };
  return {
    site,
    roots,
    missing: [gap, lost, await nobody("anything")],
    paths: [
      "",
      "/",
      "/index.html",
      "/a.txt",
      "/film.bin",
      "/holed.bin",
      "/lost/x",
      "/docs/",
      "/docs",
      "/docs/page%20one.html",
      "/docs/gr%C3%B6%C3%9Fe.txt",
      "/document/a/list/1/text",
      "/document/%2e%2e",
      "/a/up",
      "/list/1/text",
      "/old",
      "/see/page%20one.html",
      "/gone",
      "/law",
      "/to/a%2Fb/c",
      "/far/away",
      "/nowhere",
      "/r",
      "/p",
      "/l",
      "/m/passwd",
      "/a/b/a/b/a/b",
      "/%3Cscript%3E",
      "/_redirects",
      "/no/such/page",
    ],
  };
}
