/** Chains of versions, as their publisher makes them, and such as no honest program makes. */
import type { PrivateKey } from "@helia/interface";
import { encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { signVersion, type Version } from "../../src/site/version.ts";
import { DAG_CBOR, type MemoryBlocks } from "./memory-blocks.ts";
import { VALUE } from "./signer.ts";

/** The root of some site. */
export const ROOT: CID = CID.parse(VALUE.slice("/ipfs/".length));

/** What a version says where a test does not care. */
export const FIRST: Version = { number: 1, previous: null, root: ROOT, time: 1_000, note: "" };

/** Signs versions one after the other, and stores them; their CIDs, the first version's first. */
export async function addChain(
  blocks: MemoryBlocks,
  key: PrivateKey,
  versions: Partial<Version>[],
): Promise<CID[]> {
  const cids: CID[] = [];
  for (const version of versions) {
    const number = cids.length + 1;
    const previous = cids.at(-1) ?? null;
    const signed = await signVersion(key, { ...FIRST, number, previous, ...version });
    cids.push(await blocks.put(DAG_CBOR, signed.block));
  }
  return cids;
}

/** Signs whatever somebody says, as a version. */
export async function signNonsense(
  key: PrivateKey,
  fields: Record<string, unknown>,
): Promise<Uint8Array> {
  const map = Object.fromEntries(
    Object.entries({ format: 1, ...FIRST, signer: key.publicKey.toProtobuf(), ...fields })
      .filter(([, value]) => value !== undefined),
  );
  const context = new TextEncoder().encode("nethood-version:");
  const signature = await key.sign(new Uint8Array([...context, ...encode(map)]));
  return encode({ ...map, signature });
}
