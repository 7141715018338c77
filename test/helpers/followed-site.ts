/** A publisher on loopback, and those who follow its site. */
import { join } from "node:path";
import { parseKey } from "../../src/content/address.ts";
import type { FollowEvent, Taken } from "../../src/follower.ts";
import type { NodeOptions } from "../../src/node.ts";
import { createSeeder, type Published, type PublishOptions } from "../../src/seeder.ts";
import { textIn } from "./bytes.ts";
import { addFiles, createFolder, type Files } from "./folder.ts";
import { createLoopbackNode, type LoopbackNode } from "./loopback-node.ts";
import { SITE } from "./site.ts";
import { until } from "./until.ts";

export interface FollowedSite extends AsyncDisposable {
  readonly seeder: LoopbackNode;
  /** The site's key, in base36. */
  readonly key: string;
  /** The newest version. */
  readonly published: Published;
  /** Puts files into the site's folder, and publishes it. */
  publish(files: Files, options?: Partial<PublishOptions>): Promise<Published>;
  /** A node that knows the site's name, and the publisher, and follows it if it is told how many versions to keep. */
  reader(options?: NodeOptions & { keep?: number; alone?: boolean }): Promise<Follower>;
}

export interface Follower extends LoopbackNode {
  readonly events: readonly FollowEvent[];
  /** The versions that it took, in their order. */
  readonly taken: readonly Taken[];
  /** Waits until it has taken a version. */
  version(number: number, ms?: number): Promise<Taken>;
  /** What a page says, here alone. */
  page(path: string): Promise<string>;
}

/** Publishes the first version. */
export async function createFollowedSite(
  files: Files,
  { ttl = 60_000, ...options }: NodeOptions & { ttl?: number } = {},
): Promise<FollowedSite> {
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await createFolder());
  const dir = join(path, "site");
  const seeder = starting.use(await createLoopbackNode(options));
  const { publish } = createSeeder(seeder);
  let published: Published | undefined;
  const again: FollowedSite["publish"] = async (files, options) => {
    await addFiles(dir, files);
    return published = await publish(dir, { name: SITE, ttl, ...options });
  };
  const { key } = await again(files);
  const running = starting.move();
  return {
    seeder,
    key,
    get published() {
      return published!;
    },
    publish: again,
    async reader({ keep, alone = false, ...options } = {}) {
      const node = running.use(
        await createLoopbackNode({ names: { [SITE]: `/ipns/${key}` }, ...options }),
      );
      const events: FollowEvent[] = [];
      node.follower.watch((event) => events.push(event), {});
      if (!alone) await node.meet(seeder);
      if (keep !== undefined) await node.follower.follow(SITE, { keep });
      const taken = () => events.filter((event) => event.type === "version").map((e) => e.taken);
      return Object.defineProperties(Object.create(node), {
        events: { value: events },
        taken: { get: taken },
        version: {
          value: async (number: number, ms?: number) => {
            const there = () => taken().find((taken) => taken.number === number);
            await until(`version ${number} (${told(events)})`, () => there() !== undefined, ms);
            return there();
          },
        },
        page: { value: async (path: string) => await pageOf(node, path) },
        stop: { value: () => node.stop() },
      });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What a page of the site says, of what is here. */
export async function pageOf(node: Pick<LoopbackNode, "open">, path: string): Promise<string> {
  const { entry } = await node.open(`/ipns/${SITE}/${path}`, { local: true });
  if (entry.kind !== "file") throw new Error(`${path} is no file`);
  return await textIn(entry);
}

/** The number of the version in force. */
export async function inForce(node: LoopbackNode, key: string): Promise<number | undefined> {
  return (await node.names.record(parseKey(key)!, { local: true })).number;
}

function told(events: readonly FollowEvent[]): string {
  return JSON.stringify(events.filter(({ type }) => type !== "progress"));
}
