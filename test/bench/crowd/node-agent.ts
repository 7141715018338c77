/** Nethood as it is shipped, as an agent: it seeds a folder, or reads one whole. Options: `chunk`, in bytes, for seeding; `unchecked`. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { createNode, createSeeder, type Entry, type Node } from "../../../mod.ts";
import { everything, walk } from "../../../src/content/dag.ts";
import { CID } from "multiformats/cid";
import { until } from "../../helpers/until.ts";
import { config, obey, tell } from "./talk.ts";

/** Files read at once, as a browser does. */
const AT_ONCE = 8;
/** How often it is looked for leaves that have come, in milliseconds. */
const REPORT_MS = 250;
/** How long peers are waited for, in milliseconds. */
const MEET_MS = 60_000;
/** The codec of a leaf: bytes, and nothing else. */
const RAW = 0x55;
const PORT = 4001;

/** Pieces by path. */
type Files = Map<string, Uint8Array[]>;

const { role, address, dir, source, before, others, report, options } = config();
const at = (host: string) => `/ip4/${host}/tcp/${PORT}`;

const node = await createNode({
  dir: join(dir, "node"),
  listen: [at(address)],
  peers: before.map(at),
  mdns: false,
  log: (line) => console.error(line),
});
const more = role === "seeder" ? await seed(node) : {};
tell("ready", { address, ...more });

await obey({
  meet: () => until("all are connected", () => node.peers.length >= others, MEET_MS),
  async go({ seeder }) {
    const reporter = report ? reportLeaves(node, seeder.leaves!) : undefined;
    try {
      const read = await readAll(node, String(seeder.root));
      return () => options.unchecked ? String(read.bytes) : digest(read.files);
    } finally {
      // One that has everything says so before it is done.
      await reporter?.end();
    }
  },
  stop: () => node.stop(),
});

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

/** Every file of a folder, a few at a time, each opened by its own address. */
async function readAll(node: Node, root: string): Promise<{ files: Files; bytes: number }> {
  const files: Files = new Map();
  let bytes = 0;
  const waiting = [""];
  let underway = 0;
  await new Promise<void>((resolve, reject) => {
    const more = () => {
      if (waiting.length === 0 && underway === 0) return resolve();
      while (waiting.length > 0 && underway < AT_ONCE) {
        underway++;
        const path = waiting.shift()!;
        node.open(root + path).then(({ entry }) => take(path, entry)).then(() => {
          underway--;
          more();
        }, reject);
      }
    };
    more();
  });
  return { files, bytes };

  async function take(path: string, entry: Entry): Promise<void> {
    if (entry.kind === "file") {
      const pieces: Uint8Array[] = [];
      for await (const piece of entry.bytes()) {
        bytes += piece.byteLength;
        if (!options.unchecked) pieces.push(piece);
      }
      files.set(path, pieces);
    } else if (entry.kind === "directory") {
      for await (const { name } of entry.entries()) waiting.push(`${path}/${name}`);
    } else throw new Error(`${path} is a ${entry.kind}`);
  }
}

function digest(files: Files): string {
  const hash = createHash("sha256");
  for (const [, pieces] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    for (const piece of pieces) hash.update(piece);
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
