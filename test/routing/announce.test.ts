import { Buffer } from "node:buffer";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromString } from "@libp2p/peer-id";
import * as assert from "uvu/assert";
import {
  type Announce,
  type AnnounceFields,
  MAX_KEYS,
  readAnnounce,
  Refusal,
  signAnnounce,
} from "../../src/routing/announce.ts";
import { failure } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const TRACKER = "https://tracker.example.org";
const ROOT = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const SITE = "/ipns/docs.example.org";
const NOW = 1_800_000_000_000;

suite("announce", (test) => {
  test("what a peer signs is what a tracker reads, with every kind of key", async () => {
    for (const type of ["Ed25519", "secp256k1", "RSA"] as const) {
      const said = await taken(await signed({ seeds: [ROOT], reads: [SITE], given: 7 }, type));
      assert.equal(said.seeds.map(({ text }) => text), [ROOT], type);
      assert.equal(said.reads, [{ text: SITE, id: SITE }], type);
      assert.equal([said.event, said.given, said.time], ["started", 7, NOW], type);
      assert.equal(said.multihash, peerIdFromString(said.id).toMultihash().bytes, type);
    }
  });

  test("one key is one, however it is written", async () => {
    const written = [
      ROOT,
      "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR",
      "bafkreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
    ];
    const said = await taken(await signed({ seeds: written, reads: ["/ipns/Docs.Example.org"] }));
    assert.is(new Set(said.seeds.map(({ id }) => id)).size, said.seeds.length);
    assert.ok(said.seeds.length < written.length);
    assert.is(said.reads[0]!.id, SITE);
    // And who holds it whole is no reader of it.
    assert.equal((await taken(await signed({ seeds: [ROOT], reads: [ROOT] }))).reads, []);
  });

  test("a key that is none is refused by itself", async () => {
    const said = await taken(await signed({ seeds: [ROOT, "nonsense"], reads: ["/ipns/"] }));
    assert.equal(said.refused.map(({ key }) => key), ["nonsense", "/ipns/"]);
    assert.is(said.seeds.length, 1);
  });

  test("nobody announces for somebody else", async () => {
    const other = JSON.parse(await signed({ seeds: [ROOT] }));
    const mine = JSON.parse(await signed({ seeds: [ROOT] }));
    await refused(JSON.stringify({ ...mine, signature: other.signature }), 401);
    for (const type of ["Ed25519", "RSA"] as const) {
      const victim = payloadOf(await signed({}, type));
      const { id, publicKey } = payloadOf(await signed({}, type));
      const forged = changed(await signed({}, type), { id: victim.id });
      await refused(forged, 401);
      await refused(changed(await signed({}, type), { id, publicKey }), 401);
    }
    // A signature that is right, by the key that is in the announce, which is not the one of the ID.
    const victim = payloadOf(await signed({}, "RSA"));
    const key = await generateKeyPair("RSA", 2048);
    const own = payloadOf(
      await signAnnounce(key, { tracker: TRACKER, event: "started", time: NOW }),
    );
    const sign = async (fields: object) => {
      const payload = Buffer.from(JSON.stringify({ ...own, ...fields }));
      const signature = await key.sign(Buffer.concat([Buffer.from("nethood-announce:"), payload]));
      const both = { payload, signature: Buffer.from(signature) };
      const text = Object.entries(both).map(([name, bytes]) => [name, bytes.toString("base64url")]);
      return JSON.stringify(Object.fromEntries(text));
    };
    assert.ok(await taken(await sign({})));
    await refused(await sign({ id: victim.id }), 401);
    await refused(await sign({ publicKey: own.publicKey + "A".repeat(2_000) }), 401);
  });

  test("an announce for another tracker, of another time, or with a changed word is refused", async () => {
    await refused(await signed({ tracker: "https://other.example.org" }), 401);
    await refused(await signed({ time: NOW + 24 * 3_600_000 }), 409);
    await refused(await signed({ time: NOW - 24 * 3_600_000 }), 409);
    assert.ok(await taken(await signed({ time: NOW + 4 * 60_000 })));
    await refused(changed(await signed({ seeds: [ROOT] }), { given: 1 }), 401);
  });

  test("ten thousand roots are too many, and are not even signed", async () => {
    const many = Array.from({ length: 10_000 }, () => ROOT);
    assert.is((await failure(signed({ seeds: many }))).code, "BAD_OPTION");
    await refused(changed(await signed({}), { seeds: many }), 413);
    await refused(changed(await signed({}), { seeds: many.slice(0, MAX_KEYS + 1) }), 413);
    await refused(changed(await signed({}), { addrs: many.slice(0, 33) }), 413);
    const long = Array.from({ length: 200 }, () => "x".repeat(400));
    await refused(changed(await signed({}), { seeds: long }), 413);
  });

  test("what is no announce is refused with a sentence, whatever it is", async () => {
    const good = await signed({});
    const bodies = [
      ...["", "null", "[]", "{}", "\u0000", `{"payload":1,"signature":2}`, good.slice(0, -9)],
      ...[{ id: 1 }, { id: "x".repeat(500) }, { event: "paused" }, { time: "now" }, { time: 0.5 }],
      ...[{ given: -1 }, { ttl: 1e400 }, { addrs: "x" }, { seeds: [1] }, { reads: [null] }],
    ].map((body) => typeof body === "string" ? body : changed(good, body));
    for (const body of bodies) await refused(body, 400);
    for (const id of ["", "12D3KooW", "12D3KooW0OIl", "Qm", "k51", "__proto__"]) {
      await refused(changed(good, { id }), 401);
    }
  });
});

async function signed(
  fields: Partial<AnnounceFields>,
  type: "Ed25519" | "secp256k1" | "RSA" = "Ed25519",
): Promise<string> {
  // The library has a signature of its own for each kind.
  const key = type === "RSA"
    ? await generateKeyPair(type, 2048)
    : await generateKeyPair(type as "Ed25519");
  return await signAnnounce(key, { tracker: TRACKER, event: "started", time: NOW, ...fields });
}

function payloadOf(body: string) {
  return JSON.parse(Buffer.from(JSON.parse(body).payload, "base64url").toString());
}

/** The same announce with other fields, and the signature that it had. */
function changed(body: string, fields: object): string {
  const payload = JSON.stringify({ ...payloadOf(body), ...fields });
  return JSON.stringify({
    ...JSON.parse(body),
    payload: Buffer.from(payload).toString("base64url"),
  });
}

async function taken(body: string): Promise<Announce> {
  const said = await readAnnounce(body, { origins: [TRACKER], now: NOW });
  if (said instanceof Refusal) throw new Error(`refused: ${said.status} ${said.error}`);
  return said;
}

async function refused(body: string, status: number): Promise<void> {
  const said = await readAnnounce(body, { origins: [TRACKER], now: NOW });
  assert.ok(said instanceof Refusal, `taken: ${body.slice(0, 200)}`);
  assert.is(said.status, status, said.error);
  assert.match(said.error, /^[A-Z].*\.$/);
}
