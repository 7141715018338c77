/** Records that strangers hand in. */
import * as assert from "uvu/assert";
import { createNames } from "../../src/name/ipns.ts";
import { refusal } from "../helpers/failure.ts";
import { createIpnsStore } from "../helpers/ipns-store.ts";
import { createKeychain, nameOf, signRecord } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

suite("name/ipns, strangers", (test) => {
  test("a stranger's records fill the disk no further than a limit", async () => {
    const keychain = createKeychain();
    const store = createIpnsStore();
    const routing = { find: () => Promise.resolve({ records: [], refused: [] }) };
    const names = createNames({ keychain }, routing, store, { maxKeys: 2 });
    const keys = await Promise.all(["a", "b", "c"].map((name) => keychain.generateKey(name)));
    const put = async (i: number, sequence = 1n) =>
      await names.put(nameOf(keys[i]!), await signRecord(keys[i]!, { sequence }));
    await put(0);
    await put(1);
    await refusal("IPNS_FULL", () => put(2));
    assert.is(store.count(), 2);
    await put(1, 2n); // what is here may still be renewed
  });
});
