/** Private keys as files and as words: each form there and back, and what is said of the rest. */
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import * as assert from "uvu/assert";
import { hasPrivatePem, readKeyFile, toPem, toWords } from "../../src/name/key-file.ts";
import { fromHelia, fromSeed, isSame, toHelia, toSeed } from "../../src/name/private-key.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";
import { createHeliaLight } from "helia";

/** The key of RFC 8410, section 10.3, as its file. */
const RFC_8410 = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`;
const SEED = Buffer.from("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842", "hex");
const PUBLIC = Buffer.from(
  "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
  "hex",
);

/** What `ipfs key export` writes of it. */
const PROTOBUF = Buffer.concat([Buffer.from("08011240", "hex"), SEED, PUBLIC]);

/** The vector of BIP 39 for 32 zeros, and for 32 times 7f. */
const ABANDON = `${"abandon ".repeat(23)}art`;
const LEGAL =
  "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title";

const read = (file: string | Uint8Array, passphrase?: string) =>
  readKeyFile(typeof file === "string" ? Buffer.from(file) : file, passphrase);
const seedOf = (key: KeyObject) => Buffer.from(toSeed(key)!).toString("hex");
const generate = (kind: string, options: object = {}): KeyObject =>
  generateKeyPairSync(kind as "rsa", options as { modulusLength: number }).privateKey;
const pemOf = (key: KeyObject) => String(key.export({ type: "pkcs8", format: "pem" }));

/** That a key cannot be read, why, and that none of it is told. */
async function refused(file: string | Uint8Array, says: RegExp, passphrase?: string) {
  const error = await refusal("BAD_KEY", () => read(file, passphrase));
  assert.match(error.message, says);
  const told = `${error.message} ${error.hint}`.toLowerCase();
  const text = Buffer.from(file as Uint8Array).toString();
  for (const part of text.match(/[a-zA-Z0-9+/]{20,}|\b(?:winner|sausage|zzzz)\b/g) ?? []) {
    assert.not.ok(told.includes(part.toLowerCase()), `${part} is told: ${told}`);
  }
}

suite("name/key-file", (test) => {
  test("one key in all its forms", () => {
    const forms: (string | Uint8Array)[] = [
      RFC_8410,
      RFC_8410.replaceAll("\n", "\r\n"),
      `Somebody's key\n\n${RFC_8410}\nand a note`,
      PROTOBUF,
      Buffer.concat([Buffer.from("08011260", "hex"), SEED, PUBLIC, PUBLIC]),
      toWords(fromSeed(SEED)),
      toPem(fromSeed(SEED), "title"),
    ];
    for (const form of forms) assert.is(seedOf(read(form)), SEED.toString("hex"), String(form));
    assert.is(toPem(fromSeed(SEED), "title"), `title\n${RFC_8410}`);
  });

  test("words are those of BIP 39, however they are set", () => {
    assert.is(toWords(fromSeed(new Uint8Array(32))), ABANDON);
    assert.is(toWords(fromSeed(new Uint8Array(32).fill(0x7f))), LEGAL);
    const rows = ` ${LEGAL.toUpperCase().replace(/(\S+ \S+ \S+) /g, "$1 \r\n")}\n`;
    assert.is(seedOf(read(rows)), "7f".repeat(32));
  });

  test("a passphrase protects a file, which others read too", async () => {
    const pem = toPem(fromSeed(SEED), "title", "grüße, my passphrase");
    assert.match(pem, /^title\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    assert.is(seedOf(read(pem, "grüße, my passphrase")), SEED.toString("hex"));
    const theirs = createPrivateKey({ key: pem.slice(6), passphrase: "grüße, my passphrase" });
    assert.ok(isSame(theirs, fromSeed(SEED)));
    assert.not.ok(pem.includes(SEED.toString("base64").slice(4, 30)));
    assert.not.equal(pem, toPem(fromSeed(SEED), "title", "grüße, my passphrase"), "salted");
    const rounds = /0203([0-9a-f]{6})/.exec(
      Buffer.from(pem.split("\n").slice(2, -2).join(""), "base64").toString("hex"),
    );
    assert.is(parseInt(rounds![1]!, 16), 600_000);
    const other = fromSeed(SEED).export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "x",
    });
    assert.is(seedOf(read(String(other), "x")), SEED.toString("hex"));
    await refused(pem, /protected by a passphrase/);
    await refused(pem, /The passphrase does not open this key/, "another");
  });

  test("RSA keys, too: names from before 2021 have them", async () => {
    const rsa = generate("rsa", { modulusLength: 2048 });
    const helia = createHeliaLight();
    const protobuf = (await toHelia(rsa, helia)).toProtobuf();
    const pkcs1 = String(rsa.export({ type: "pkcs1", format: "pem" }));
    for (const form of [pemOf(rsa), pkcs1, protobuf, toPem(rsa, "title", "x")]) {
      assert.ok(isSame(read(form, "x"), rsa));
    }
    assert.ok(isSame(fromHelia(await toHelia(rsa, helia)), rsa));
    const words = await refusal("BAD_KEY", () => toWords(rsa));
    assert.match(words.message, "Only an Ed25519 key fits into 24 words");
    const short = generate("rsa", { modulusLength: 1024 });
    const small = await refusal("BAD_KEY", () => toHelia(short, helia));
    assert.match(small.message, "An RSA key of 1024 bits cannot be a site's");
  });

  test("keys of other kinds are told from broken ones", async () => {
    const helia = createHeliaLight();
    for (const namedCurve of ["secp256k1", "P-256"]) {
      const key = read(pemOf(generate("ec", { namedCurve })));
      const error = await refusal("BAD_KEY", () => toHelia(key, helia));
      assert.match(error.message, "A key of the kind ec cannot be a site's");
    }
    await refused(Buffer.concat([Buffer.from("08021220", "hex"), SEED]), /kind Secp256k1 cannot/);
    await refused(Buffer.concat([Buffer.from("08031220", "hex"), SEED]), /kind ECDSA cannot/);
  });

  test("what is no key, or half of one, is refused in words that tell nothing of it", async () => {
    const wrong = Buffer.from(PROTOBUF);
    wrong[40]! ^= 1;
    const { publicKey } = generateKeyPairSync("ed25519");
    const cases: [string | Uint8Array, RegExp][] = [
      ["", /no private key in any form/],
      ["\u0000\u0001", /no private key in any form/],
      ["Grüße!", /no private key in any form/],
      [new Uint8Array(70_000), /too large for a key/],
      [RFC_8410.replace("MC4C", "MC5C"), /This key is damaged/],
      [RFC_8410.slice(0, 60), /This key is damaged/],
      [RFC_8410 + RFC_8410, /more than one key/],
      [
        String(publicKey.export({ type: "spki", format: "pem" })),
        /no private key, but a public key\./,
      ],
      [PROTOBUF.subarray(0, 50), /This key is damaged/],
      [Buffer.concat([PROTOBUF, PUBLIC]), /This key is damaged/],
      [wrong, /This key is damaged/],
      [Buffer.from("080012021234", "hex"), /This key is damaged/],
      [Buffer.from("0800", "hex"), /no private key in any form/],
      [LEGAL.replace(" title", ""), /A key has 24 words, and here are 23/],
      [LEGAL.replace("sausage", "zzzz"), /Word 6 is not in the list/],
      [LEGAL.replace("title", "winner"), /do not belong together/],
      [LEGAL.replace("legal winner", "winner legal"), /do not belong together/],
    ];
    for (const [file, says] of cases) await refused(file, says);
    assert.ok(hasPrivatePem(Buffer.from(RFC_8410)));
    assert.ok(hasPrivatePem(Buffer.from("x\n-----BEGIN OPENSSH PRIVATE KEY-----\n")));
    assert.not.ok(hasPrivatePem(Buffer.from("-----BEGIN PUBLIC KEY-----")));
  });
});
