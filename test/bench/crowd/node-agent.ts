/**
 * Nethood as it is shipped, as an agent: it seeds a folder, or reads one whole. Options: `chunk`, in bytes, for seeding;
 * `unchecked`; `tracked`: a tracker beside the seeder is all that anybody knows.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { createNode, createSeeder, type Node } from "../../../mod.ts";
import { everything, walk } from "../../../src/content/dag.ts";
import { type FileEntry, open } from "../../../src/content/read.ts";
import { CID } from "multiformats/cid";
import { createTracker } from "../../../src/tracker.ts";
import { createTrackerApp } from "../../../gateway/tracker/app.ts";
import { serve } from "../../../gateway/serve.ts";
import { until } from "../../helpers/until.ts";
import { config, MEET_MS, obey, tell } from "./talk.ts";

/** How often it is looked for leaves that have come, in milliseconds. */
const REPORT_MS = 250;
/** The codec of a leaf: bytes, and nothing else. */
const RAW = 0x55;
const PORT = 4001;
const TRACKER_PORT = 7070;

const { role, address, dir, source, before, others, report, options } = config();
const at = (host: string) => `/ip4/${host}/tcp/${PORT}`;

const tracker = options.tracked ? `http://${before[0] ?? address}:${TRACKER_PORT}` : undefined;
if (tracker !== undefined && role === "seeder") await track(tracker);

const node = await createNode({
  dir: join(dir, "node"),
  listen: [at(address)],
  ...(tracker === undefined ? { peers: before.map(at) } : { trackers: [tracker] }),
  mdns: false,
  log: (line) => console.error(line),
});
const more = role === "seeder" ? await seed(node) : {};
tell("ready", { address, ...more });

await obey({
  async meet() {
    // Who is found through a tracker is met by reading.
    if (tracker !== undefined) return;
    await until("all are connected", () => node.peers.length >= others, MEET_MS);
  },
  async go({ seeder }) {
    const reporter = report ? reportLeaves(node, seeder.leaves!) : undefined;
    try {
      const root = String(seeder.root);
      const { kept } = await fetchAll(node, root);
      return async () => {
        await kept;
        return await prove(await filesBelow(node, root));
      };
    } finally {
      // One that has everything says so before it is done.
      await reporter?.end();
    }
  },
  stop: () => node.stop(),
});

async function track(url: string): Promise<void> {
  const running = await createTracker({ dir: join(dir, "tracker"), urls: [url] });
  await serve(createTrackerApp(running), { hostname: address, port: TRACKER_PORT });
}

/** Publishes the folder, and tells what readers have to open. */
async function seed(node: Node): Promise<object> {
  const chunk = options.chunk as number | undefined;
  const published = await createSeeder(node).publish(source, {
    name: "crowd.example.org",
    ...(chunk === undefined ? {} : { chunk }),
  });
  const leaves: string[] = [];
  let largest = 0;
  for await (const { cid, block } of walk(node.blocks, [everything(published.cid)])) {
    if (cid.code !== RAW) continue;
    leaves.push(String(cid));
    largest = Math.max(largest, block.byteLength);
  }
  // An option that is not understood must not pass for one that changes nothing.
  if (chunk !== undefined && largest > chunk) {
    throw new Error(
      `The seeder was asked for chunks of ${chunk} bytes, and made some of ${largest}`,
    );
  }
  return { root: `/ipfs/${published.cid}`, ...(report ? { leaves } : {}) };
}

/** Everything below an address: it is here when this resolves, and pinned when `kept` does. */
async function fetchAll(node: Node, root: string): Promise<{ kept: Promise<unknown> }> {
  const here = Promise.withResolvers<void>();
  const kept = node.keep(root, {
    onProgress: ({ type }) => type === "content:keep:pin" && here.resolve(),
  });
  kept.catch(here.reject);
  await here.promise;
  return { kept };
}

/** The files of a folder by their paths; a file is the only one, by no path. All is read from what is here. */
async function filesBelow(node: Node, root: string): Promise<Map<string, FileEntry>> {
  const files = new Map<string, FileEntry>();
  const paths = [""];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const { found, blocks } = await node.locate(root + path, { local: true });
    const entry = await open(blocks, found.cid);
    if (entry.kind === "file") files.set(path, entry);
    else if (entry.kind === "directory") {
      for await (const { name } of entry.entries()) paths.push(`${path}/${name}`);
    } else throw new Error(`${path} is a ${entry.kind}`);
  }
  return files;
}

async function prove(files: Map<string, FileEntry>): Promise<string> {
  if (options.unchecked) {
    return String([...files.values()].reduce((sum, { size }) => sum + size, 0));
  }
  const hash = createHash("sha256");
  for (const [, file] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    for await (const piece of file.bytes()) hash.update(piece);
  }
  return hash.digest("hex");
}

/** Says which leaves have come. */
function reportLeaves(node: Node, leaves: string[]): { end(): Promise<void> } {
  const missing = new Set(leaves);
  const look = async () => {
    for (const leaf of missing) {
      if (!await node.helia.blockstore.has(CID.parse(leaf))) continue;
      missing.delete(leaf);
      tell("have", { leaf });
    }
  };
  let looking = look();
  const timer = setInterval(() => looking = looking.then(look), REPORT_MS);
  return {
    async end() {
      clearInterval(timer);
      await looking.then(look);
    },
  };
}
