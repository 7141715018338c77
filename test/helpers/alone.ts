/**
 * A program for places without a network: it starts a node with everything at its default, stores a block, reads it back
 * through the exchange, serves an address from it, fails to find what nobody has, and stops. It says so in JSON lines.
 */
import process from "node:process";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../../src/errors.ts";
import { createNode } from "../../src/node.ts";

const say = (event: string, data: object = {}) => console.log(JSON.stringify({ event, ...data }));

const dir = process.argv[2];
if (dir === undefined) throw new Error("alone.ts DIR");
const node = await createNode({ dir, timeout: 200, log: (line) => say("told", { line }) });
say("ready", { id: node.id, addresses: node.addresses });

const bytes = new TextEncoder().encode("what it has");
const cid = CID.createV1(raw.code, await sha256.digest(bytes));
await node.helia.blockstore.put(cid, bytes);
const { entry } = await node.open(`/ipfs/${cid}`);
say("opened", { size: entry.kind === "file" ? entry.size : undefined });

const missing = CID.createV1(raw.code, await sha256.digest(new Uint8Array(1)));
try {
  await node.blocks.get(missing);
} catch (error) {
  if (!(error instanceof NethoodError)) throw error;
  say("missing", { code: error.code });
}
await node.stop();
say("stopped");
process.exit(0);
