/** A folder that is watched by a real node, and what becomes of it. */
import type { CID } from "multiformats/cid";
import { localOnly } from "../../src/content/blocks.ts";
import { open } from "../../src/content/read.ts";
import { members } from "../../src/content/tar.ts";
import { parseKey } from "../../src/content/address.ts";
import type { Node, NodeOptions } from "../../src/node.ts";
import { createSeeder, type Published, type PublishOptions } from "../../src/seeder.ts";
import { type WatchOptions, watchSite } from "../../src/site/watch.ts";
import { createLoopbackNode } from "./loopback-node.ts";
import { until } from "./until.ts";

const NAME = "docs.example.org";

export interface WatchedSite extends AsyncDisposable {
  readonly node: Node;
  /** The versions so far, each another than the one before. */
  readonly versions: readonly CID[];
  readonly troubles: readonly string[];
  /** Waits for a version of that number, from 1. */
  version(number: number, ms?: number): Promise<CID>;
  /** What a page says in a version; undefined where it has none. */
  page(version: CID, path: string): Promise<string | undefined>;
  /** The files of the newest version, and what its record says. */
  files(): Promise<string[]>;
  recorded(): Promise<string>;
  /** When the newest version came, in milliseconds since 1970. */
  readonly at: number;
  stop(): Promise<void>;
}

type Options =
  & Partial<Omit<WatchOptions<Published>, "publish">>
  & Pick<NodeOptions, "dir">
  & Pick<PublishOptions, "onProgress">;

/** Watches a folder; a node of its own publishes it. */
export async function createWatchedSite(
  site: string,
  { dir, onProgress, ...options }: Options = {},
): Promise<WatchedSite> {
  await using starting = new AsyncDisposableStack();
  const node = starting.use(await createLoopbackNode({ ...(dir && { dir }), listen: [] }));
  const { publish } = createSeeder(node);
  const versions: CID[] = [];
  const troubles: string[] = [];
  let last: Published | undefined;
  let at = 0;
  const watch = starting.use(
    await watchSite<Published>(site, {
      quiet: 400,
      retry: 500,
      signal: new AbortController().signal,
      publish: (own) => publish(site, { name: NAME, steady: true, onProgress, ...own }),
      onVersion(published) {
        if (!last?.cid.equals(published.cid)) {
          versions.push(published.cid);
          at = Date.now();
        }
        last = published;
      },
      onTrouble: (text) => troubles.push(text),
      ...options,
    }),
  );
  const blocks = localOnly(node.blocks);
  const running = starting.move();
  return {
    node,
    versions,
    troubles,
    get at() {
      return at;
    },
    async version(number, ms = 20_000) {
      await until(
        `version ${number} (${troubles.join(" ")})`,
        () => versions.length >= number,
        ms,
      );
      return versions[number - 1]!;
    },
    async page(version, path) {
      const entry = await open(blocks, version, path.split("/")).catch(() => undefined);
      if (entry?.kind !== "file") return undefined;
      let text = "";
      for await (const piece of entry.bytes()) text += new TextDecoder().decode(piece);
      return text;
    },
    async files() {
      const found: string[] = [];
      const tree = await open(blocks, versions.at(-1)!, []);
      for await (const { header } of members(blocks, tree, {})) {
        if (header.type === "file") found.push(header.name.split("/").slice(1).join("/"));
      }
      return found.sort();
    },
    async recorded() {
      const { value } = await node.names.resolve(parseKey(last!.key)!);
      return String(value);
    },
    stop: () => watch.stop(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
