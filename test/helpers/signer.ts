/** IPNS keys and what can be signed with them: proper records, and such as no honest program makes. */
import { Buffer } from "node:buffer";
import type { Helia, PrivateKey } from "@helia/interface";
import { createIPNSRecord, IPNSEntry } from "@helia/ipns";
import * as dagCbor from "@ipld/dag-cbor";
import { createHeliaLight } from "helia";
import type { CID } from "multiformats/cid";

export const VALUE = "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
export const OTHER_VALUE = "/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

/** A keychain in memory. */
export function createKeychain(): Helia["keychain"] {
  return createHeliaLight().keychain;
}

/**
 * Lets something happen while one of a keychain's keys signs: to be called before the first is used.
 *
 * @returns what sets it, and gives what ends it
 */
export function hookSignatures(keychain: Helia["keychain"]): (happen: () => unknown) => () => void {
  let happening: () => unknown = () => undefined;
  const exportKey = keychain.exportKey;
  keychain.exportKey = async (name) => {
    const key = await exportKey.call(keychain, name);
    const sign: typeof key.sign = async (data) => {
      const signature = await key.sign(data);
      await happening();
      return signature;
    };
    return Object.create(key, { publicKey: { value: key.publicKey }, sign: { value: sign } });
  };
  return (happen) => {
    happening = happen;
    return () => void (happening = () => undefined);
  };
}

/** The name of a key. */
export function nameOf(key: PrivateKey): CID {
  return key.publicKey.toCID() as CID;
}

export interface Claim {
  value?: string;
  sequence?: bigint;
  /** Milliseconds from now; negative ones are over. */
  lifetime?: number;
  /** In seconds. */
  ttl?: number;
  /** Whether the fields of the first version are there too. */
  v1Compatible?: boolean;
}

/** A proper record, as it goes over the wire. */
export async function signRecord(key: PrivateKey, claim: Claim = {}): Promise<Uint8Array> {
  const { value = VALUE, sequence = 1n, lifetime = 3_600_000, ttl = 60, v1Compatible = true } =
    claim;
  return IPNSEntry.encode(
    await createIPNSRecord(key, value, sequence, lifetime, {
      ttlNs: BigInt(ttl) * 1_000_000_000n,
      v1Compatible,
    }),
  );
}

/** A signature of whatever somebody says; a field that is undefined is left out. */
export async function signAnything(
  key: PrivateKey,
  fields: Record<string, unknown>,
  beside: Partial<IPNSEntry> = {},
): Promise<Uint8Array> {
  const validity = new Date(Date.now() + 3_600_000).toISOString().replace("Z", "000000Z");
  const claims = {
    Value: Buffer.from(VALUE),
    Validity: Buffer.from(validity),
    ValidityType: 0,
    Sequence: 1,
    TTL: 60_000_000_000,
    ...fields,
  };
  const said = Object.entries(claims).filter(([, value]) => value !== undefined);
  const data = dagCbor.encode(Object.fromEntries(said)) as Uint8Array<ArrayBuffer>;
  const signatureV2 = await key.sign(Buffer.concat([Buffer.from("ipns-signature:"), data]));
  return IPNSEntry.encode({ data, signatureV2: new Uint8Array(signatureV2), ...beside });
}
