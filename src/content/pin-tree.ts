/**
 * The pins of a site's versions. Each folder and each file of a tree has a pin of its own, so that the next version costs only
 * what is new in it, and a version that is let go takes with it only what no other has.
 *
 * One pin for all of a tree would do neither: it writes its root down with every block, for every version again, and it cannot be
 * taken back without a walk over everything. (A second version could be pinned as far as the first is not; but then whoever
 * unpins the first, as any tool of Helia's may, takes away the ground of the second.)
 */
import type { Helia } from "@helia/interface";
import { code as DAG_PB } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { type Blocks, localOnly } from "./blocks.ts";
import { addPin, changeOwners, findPin, removePin } from "./pin.ts";
import { decodeNode, type Link } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };
type Pins = Pick<Helia, "pins">;
type Pin = Awaited<ReturnType<typeof findPin>>;

/**
 * Pins a whole tree whose blocks are in the store. What was pinned so for the same site before is not walked again. Interrupted
 * and called again, it goes on where it was.
 *
 * @param label the site, such as `/ipns/docs.example.org`
 * @param options.since what the site was before: where that is pinned so, only the pins of what differs are looked for
 */
export async function pinTree(
  helia: Pins,
  blocks: Blocks,
  root: CID,
  label: string,
  { since, ...options }: Options & { since?: CID | undefined } = {},
): Promise<void> {
  const pin = await findPin(helia, root);
  if (isPinnedFor(label, pin)) return;
  if (pin?.depth === Infinity) return await changeOwners(helia, root, { also: true });
  const members = await membersOf(blocks, root, options);
  const before = members && since ? await pinnedMembers(helia, blocks, since, label, options) : [];
  const old = new Map(before.map(({ name, cid }) => [name, cid]));
  for (const { name, cid } of members ?? []) {
    const since = old.get(name);
    if (!since?.equals(cid)) await pinTree(helia, blocks, cid, label, { ...options, since });
  }
  // Last: it says of all below it that it is pinned.
  if (pin?.owners.whole) await changeOwners(helia, root, { also: true });
  else if (pin) await changeOwners(helia, root, { whole: label, passed: true });
  else {
    const depth = members ? 0 : Infinity;
    await addPin(helia, blocks, root, depth, { address: label, whole: label }, options);
  }
}

/** Whether a block of a tree is pinned with all that is below it. */
export async function isWhole(helia: Pins, cid: CID): Promise<boolean> {
  const pin = await findPin(helia, cid);
  return pin !== undefined &&
    (pin.owners.whole !== undefined || pin.owners.also === true || pin.depth === Infinity);
}

/**
 * Lets a version go, except for what other versions have or others want. Interrupted and called again, it goes on where it was.
 *
 * @param kept the roots of all versions of this site that stay
 */
export async function unpinTree(
  helia: Pins,
  blocks: Blocks,
  root: CID,
  label: string,
  kept: CID[],
  options: Options = {},
): Promise<void> {
  const local = localOnly(blocks);
  const seen = new Set<string>();
  for (const other of kept) await visit(other, () => Promise.resolve());
  await visit(root, async (cid) => {
    const pin = await findPin(helia, cid);
    if (pin === undefined || pin.owners.also) return;
    const { address, whole = address, passed } = pin.owners;
    if (passed) await changeOwners(helia, cid, { whole: undefined, passed: undefined });
    else if (whole === label) await removePin(helia, local, cid, options);
  });

  /** Each folder and file that was not visited before, from the top: none may claim to be whole when it is not any more. */
  async function visit(cid: CID, work: (cid: CID) => Promise<void>): Promise<void> {
    const key = cid.toString();
    if (seen.has(key)) return;
    seen.add(key);
    const members = await membersOf(local, cid, options);
    await work(cid);
    for (const { cid } of members ?? []) await visit(cid, work);
  }
}

/** Whether nothing is left to be done to pin a tree for this site. */
function isPinnedFor(label: string, pin: Pin): boolean {
  if (pin === undefined) return false;
  const { address, whole, also } = pin.owners;
  return whole === label || also === true || pin.depth === Infinity && address === label;
}

/** What is in a folder, or in a shard of one; undefined for a file. */
async function membersOf(
  blocks: Blocks,
  cid: CID,
  options: Options,
): Promise<Link[] | undefined> {
  if (cid.code !== DAG_PB) return undefined;
  const node = decodeNode(cid, await blocks.get(cid, options));
  return node.kind === "directory" || node.kind === "shard" ? node.links : undefined;
}

/** What is in a folder, as far as each of it has a pin of its own, and nobody has to be asked what it is. */
async function pinnedMembers(
  helia: Pins,
  blocks: Blocks,
  cid: CID,
  label: string,
  options: Options,
): Promise<Link[]> {
  const pin = await findPin(helia, cid);
  // One pin for all below it is no ground for another version.
  if (pin?.depth !== 0 || !isPinnedFor(label, pin)) return [];
  try {
    return await membersOf(localOnly(blocks), cid, options) ?? [];
  } catch (error) {
    if (error instanceof NethoodError && error.code === "NOT_CACHED") return [];
    throw error;
  }
}
